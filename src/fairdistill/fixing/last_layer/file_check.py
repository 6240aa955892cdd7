"""Whether a file that was written with another last layer gives what was fitted, once it is loaded again."""

from __future__ import annotations

from pathlib import Path

import torch

from fairdistill.errors import UsageError
from fairdistill.fixing.work.work import Work
from fairdistill.models import class_logits
from fairdistill.predictions.trained.model import DeployedModel

_IMAGES = 32
_CLOSE = 0.05  # in probability: a file may hold 16-bit numbers


def check_loaded(work: Work, file: Path | None, loaded: DeployedModel, expected: DeployedModel) -> None:
    """Compare a model that was loaded from a file with the one that was meant to be in it, on some validation images.

    Raises:
        UsageError: if their probabilities differ by more than 16-bit numbers explain.
    """
    images = work.some_images(expected.recipe, _IMAGES)
    with torch.no_grad():
        ours, theirs = (class_logits(each.network.eval()(images)).softmax(1) for each in (expected, loaded))
    if not torch.allclose(ours, theirs, atol=_CLOSE):
        raise UsageError(
            f"{file} does not give the outputs of the last layer that was fitted; either it was changed, or the "
            "network behaves differently when it is loaded again"
        )
