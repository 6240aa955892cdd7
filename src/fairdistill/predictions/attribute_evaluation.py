"""A network with an output for each of several yes/no attributes, on a data set."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from fairdistill.data import GroupedDataset
from fairdistill.models.reading import OutputKind, two_classes
from fairdistill.predictions.evaluation import Evaluation, Performance, evaluate

_MEANS = ("loss", "cell_loss", "accuracy", "balanced_accuracy", "deo_a", "deo_m")


@dataclass(frozen=True, kw_only=True)
class AttributesEvaluation(Performance):
    """How a network performs on a data set with several attributes; numbers are means over the attributes.

    It is collapsed if it is for every attribute.

    Attributes:
        names: of the attributes, of which the logits ``[N, K]`` are.
        each: its evaluation for each attribute, as a problem of two classes, no and yes.
    """

    names: tuple[str, ...]
    each: tuple[Evaluation, ...]


def evaluate_outputs(
    logits: Tensor, dataset: GroupedDataset, kind: OutputKind = "logits"
) -> Evaluation | AttributesEvaluation:
    """Evaluate the outputs of a network for a data set's images, one for each class or for each attribute.

    Args:
        logits: float32 ``[N, C]``, or ``[N, K]`` for K attributes.
        dataset: the images.
        kind: what the network's own outputs are; matters for attributes.
    """
    if dataset.attributes is None:
        return evaluate(logits, dataset)
    pairs = zip(logits.unbind(1), dataset.of_attributes(), strict=True)
    each = tuple(evaluate(two_classes(outputs, kind), attribute) for outputs, attribute in pairs)
    means = {name: sum(getattr(one, name) for one in each) / len(each) for name in _MEANS}
    collapsed = all(one.collapsed for one in each)
    return AttributesEvaluation(logits=logits, names=dataset.attributes.names, each=each, collapsed=collapsed, **means)
