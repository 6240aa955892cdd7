"""A network with an output for each of several yes/no attributes, on a data set."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fairdistill.data import GroupedDataset
from fairdistill.models.reading import OutputKind, two_classes
from fairdistill.predictions.trained.evaluation import Evaluation, Performance, evaluate

_MEANS = ("loss", "cell_loss", "accuracy", "balanced_accuracy", "deo_a", "deo_m")


@dataclass(frozen=True, kw_only=True)
class AttributesEvaluation(Performance):
    """How a network performs on a data set with several attributes; numbers are means over the attributes.

    It is collapsed if it is for every attribute.

    Attributes:
        names: of the attributes, of which the logits ``[N, K]`` are.
        shares: float32 ``[N, K]`` on the device, the probability of a yes.
        each: its evaluation for each attribute, as a problem of two classes, no and yes; without the images that have
            no answer to it.
    """

    names: tuple[str, ...]
    shares: Tensor
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
    both = [two_classes(outputs, kind) for outputs in logits.unbind(1)]
    answered = (dataset.answers() >= 0).to(logits.device)
    parts = zip(both, answered.unbind(1), dataset.of_attributes(), strict=True)
    each = tuple(evaluate(outputs[rows], attribute) for outputs, rows, attribute in parts)
    means = {name: sum(getattr(one, name) for one in each) / len(each) for name in _MEANS}
    collapsed = all(one.collapsed for one in each)
    shares = torch.stack([outputs.softmax(1)[:, 1] for outputs in both], dim=1)
    names = dataset.attributes.names
    return AttributesEvaluation(logits=logits, names=names, shares=shares, each=each, collapsed=collapsed, **means)
