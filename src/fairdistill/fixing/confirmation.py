"""The one reading of the test set: the deployed model and the file that is recommended in its place."""

from __future__ import annotations

from dataclasses import dataclass

from fairdistill.fixing.last_layer.file_check import check_loaded
from fairdistill.fixing.search.candidates import Candidate
from fairdistill.fixing.work.guessing import check_several_predicted
from fairdistill.fixing.work.work import Work
from fairdistill.models import find_last_layer
from fairdistill.predictions import Predictions
from fairdistill.predictions.trained.model import DeployedModel, load_model, predictions_of
from fairdistill.predictions.trained.repaired import with_last_layer

_INPUT = "Check that the test images are of the same kind, and prepared in the same way, as those for validation"
_IMAGES = 32  # on which the last layer is found again


@dataclass(frozen=True)
class OnTestSet:
    """Predictions on the test set.

    Attributes:
        before: of the deployed model.
        after: of the chosen candidate; None if that is the deployed model.
        layer: the only layer in which their networks differ, if there is such a layer.
    """

    before: Predictions
    after: Predictions | None
    layer: str | None = None


def predict_test_set(work: Work, chosen: Candidate) -> OnTestSet:
    """Run the deployed model and the chosen candidate on the test set.

    The candidate is loaded from the file that will be recommended, as anyone else would load it.

    Raises:
        UsageError: if the deployed model predicts a single class, or the file of a head behaves differently from it.
    """
    deployed, test = work.deployed, work.samples.test
    before = predictions_of(deployed.model, test, where=deployed.source.path, runtime=work.runtime)
    check_several_predicted(before, deployed.source.path, _INPUT, images="test")
    if chosen.adjust is not None:
        return OnTestSet(before, chosen.adjust(before))
    if chosen.source is None:
        return OnTestSet(before, None)
    model = load_model(chosen.source, test, work.runtime)
    layer = None if chosen.head is None else _checked(work, chosen, model)
    return OnTestSet(before, predictions_of(model, test, where=chosen.source.path, runtime=work.runtime), layer)


def _checked(work: Work, chosen: Candidate, model: DeployedModel) -> str:
    """Return the name of the layer that the file changes, after comparing both on a few validation images."""
    assert chosen.head is not None
    deployed = work.deployed.model
    images = work.some_images(deployed.recipe, _IMAGES)
    layer = find_last_layer(deployed.network, images, name=work.options.head)
    head = chosen.head.head
    expected = with_last_layer(deployed, layer, head.weight, head.bias)
    check_loaded(work, chosen.file, model, expected)
    return layer.name
