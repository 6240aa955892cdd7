"""The result of ``export``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fairdistill.auditing import ModelChange
from fairdistill.contract import Result
from fairdistill.predictions.model_reading import ModelReading


@dataclass(frozen=True, kw_only=True)
class Values(Result):
    """How a model does on the test set, as fractions; NaN where undefined."""

    accuracy: float
    deo_a: float
    deo_m: float


@dataclass(frozen=True, kw_only=True)
class Reaudit(Result):
    """An exported file next to the model that it was made from, on the same test images.

    Attributes:
        where: the test images.
        rows: how many there are.
        computed: the precision of the model's predictions, for example ``bfloat16``.
        agreement: the fraction of images for which both predict the same class.
        largest_difference: the largest difference of a class's probability.
        model, file: the values of both.
        change: the paired change from the model to the file, with each subgroup.
        tolerance: how much worse the file may be.
        verdict: whether it is worse by more than that, or significantly in a subgroup.
        reasons: what is worse, one phrase each; empty if the verdict is ``within``.
        images_per_second: the speed of the file on this machine's CPU.
        threads: with so many threads.
    """

    where: str
    rows: int
    computed: str
    agreement: float
    largest_difference: float
    model: Values
    file: Values
    change: ModelChange
    tolerance: float
    verdict: Literal["within", "beyond"]
    reasons: tuple[str, ...]
    images_per_second: float
    threads: int


@dataclass(frozen=True, kw_only=True)
class ReauditedAttribute(Result):
    """One of several yes/no attributes: what the file says of it, next to what the model says."""

    attribute: str
    reaudit: Reaudit


@dataclass(frozen=True, kw_only=True)
class ExportedCorrection(Result):
    """The correction of the decisions that was exported with a model.

    Attributes:
        kind: what it is, in words.
        groups: those that it knows; None if it needs no group.
        function: the file of the function that decides; None if it is part of the exported file.
        record: the file that says it in numbers.
        uncorrected: the model without it on the test set; None if nothing was audited.
    """

    kind: str
    groups: tuple[str, ...] | None
    function: str | None
    record: str
    uncorrected: Values | None


@dataclass(frozen=True, kw_only=True)
class ExportResult(Result):
    """What was exported.

    Attributes:
        where: the model.
        format: of the file.
        int8: whether it is quantized.
        file: the file.
        bytes: its size.
        preprocessing: the file that says how images are prepared for it.
        input: name, type and shape of its input.
        output: name, type and shape of its output.
        classes: the classes in the order of the output.
        correction: of its decisions; None without one.
        model: how the model was read.
        reaudit: the file on the test set; None if it was not audited, or has several attributes.
        attributes: with several, the same for each of them.
        notes: what a reader should know, one sentence each.
    """

    where: str
    format: str
    int8: bool
    file: str
    bytes: int
    preprocessing: str
    input: str
    output: str
    classes: tuple[str, ...]
    correction: ExportedCorrection | None
    model: ModelReading
    reaudit: Reaudit | None
    attributes: tuple[ReauditedAttribute, ...]
    notes: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0; 1 if the file is worse than the model beyond the tolerance."""
        found = [each.reaudit for each in self.attributes] if self.reaudit is None else [self.reaudit]
        return int(any(each.verdict == "beyond" for each in found))
