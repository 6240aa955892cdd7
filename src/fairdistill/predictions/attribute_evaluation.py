"""A network with an output for each of several yes/no attributes, on a data set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from fairdistill.data import GroupedDataset
from fairdistill.models.reading import OutputKind, two_classes
from fairdistill.predictions.evaluation import Evaluation, evaluate


@dataclass(frozen=True)
class AttributesEvaluation:
    """How a network performs on a data set with several attributes; numbers are means over the attributes.

    Attributes:
        logits: float32 ``[N, K]`` on the device.
        names: of the attributes.
        each: its evaluation for each attribute, as a problem of two classes, no and yes.
    """

    logits: Tensor
    names: tuple[str, ...]
    each: tuple[Evaluation, ...]

    @property
    def loss(self) -> float:
        """Mean cross-entropy."""
        return self._mean(lambda one: one.loss)

    @property
    def cell_loss(self) -> float:
        """Mean over the subgroups of each one's mean cross-entropy."""
        return self._mean(lambda one: one.cell_loss)

    @property
    def accuracy(self) -> float:
        """Fraction of correct answers."""
        return self._mean(lambda one: one.accuracy)

    @property
    def balanced_accuracy(self) -> float:
        """Mean accuracy of the subgroups; NaN if one is empty."""
        return self._mean(lambda one: one.balanced_accuracy)

    @property
    def deo_a(self) -> float:
        """DEO_A, a fraction; NaN if a subgroup is empty."""
        return self._mean(lambda one: one.deo_a)

    @property
    def deo_m(self) -> float:
        """DEO_M, in the same way."""
        return self._mean(lambda one: one.deo_m)

    @property
    def collapsed(self) -> bool:
        """Whether it gives every image the same answer, for every attribute."""
        return all(one.collapsed for one in self.each)

    def _mean(self, number: Callable[[Evaluation], float]) -> float:
        return sum(map(number, self.each)) / len(self.each)


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
    return AttributesEvaluation(logits, dataset.attributes.names, each)
