"""The options of the command ``fix``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from fairdistill.choosing import DEFAULT_RULE, Rule, parse_rule
from fairdistill.contract import check_seed, check_types
from fairdistill.errors import UsageError
from fairdistill.system.precision import Precision
from fairdistill.text.durations import parse_duration

MOST_STUDENTS = 6
"""``ss``, and ``mfd`` at five strengths."""


@dataclass(frozen=True, kw_only=True)
class FixOptions:
    """What may be done about a model, and for how long it may be looked for."""

    data: str
    """Data set: a table (.csv, .tsv, .parquet), a class folder, digits-s, cifar10s, utkface or celeba."""
    data_root: str | None = field(default=None, metadata={"also": "--root"})
    """Folder with the data files; default: $FAIRDISTILL_DATA, for a table the table's folder."""
    model: str | None = None
    """Network of a file of weights, and of the students, named as for train --model; default: what the model's file
    says, else the data's."""
    model_size: int | None = None
    """Height and width of the model's input; default: what its file says, else the data's."""
    model_mean: str | None = None
    """Channel means of the model's input; default: what its file says, else the data's."""
    model_std: str | None = None
    """Channel standard deviations of the model's input; default: what its file says, else the data's."""
    budget: str = "30m"
    """Time for training, such as 90s, 30m or 2h."""
    students: int = MOST_STUDENTS
    """At most so many students: ss, then mfd at one strength after another."""
    rule: str = DEFAULT_RULE
    """What to choose by, on validation rows; teacher is the deployed model."""
    fair_enough: float = 0.03
    """A DEO_A, a fraction, that needs no fix: a model whose interval lies within is kept."""
    anyway: bool = False
    """Look for a fairer model even if the gap of this one cannot be told from chance."""
    group_at_use: bool = False
    """The group of each person is known when the model is used: then a correction of its outputs may be recommended."""
    epochs: int = 50
    """Passes over the training set of each student, or fewer if the budget is short."""
    init: Literal["teacher", "scratch"] = "teacher"
    """Where students start: the deployed model's weights, if there are any, or random ones."""
    batch_size: int = 128
    """Rows in a batch."""
    lr: float = 1e-3
    """Learning rate."""
    seed: int = 0
    """Seed of everything that is drawn."""
    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda or cuda:N."""
    precision: Precision = "auto"
    """auto: bfloat16 autocast where the processor has it in hardware, else float32."""
    threads: int | None = None
    """CPU threads; default: PyTorch's choice."""
    out: str = "fairdistill-fix"
    """Folder to write; the same command goes on in it where it was stopped."""

    def __post_init__(self) -> None:
        check_types(self)
        check_seed("seed", self.seed)
        for name in ("epochs", "batch_size", "model_size", "students", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"expected {name} to be at least 1, but got {value}")
        if self.students > MOST_STUDENTS:
            raise UsageError(f"expected students to be at most {MOST_STUDENTS}, but got {self.students}")
        if not 0 <= self.fair_enough <= 1:
            raise UsageError(f"expected fair_enough to be a fraction in [0, 1], but got {self.fair_enough}; 3% is 0.03")
        _ = self.seconds, self.parsed_rule

    @property
    def seconds(self) -> float:
        """The budget in seconds."""
        return parse_duration(self.budget, "budget")

    @property
    def parsed_rule(self) -> Rule:
        """What to choose by."""
        return parse_rule(self.rule)
