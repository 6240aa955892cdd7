"""The options of ``fix`` and ``demo``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from fairdistill.choosing import FIX_RULE, Chooser, RuleFunction, chooser
from fairdistill.contract import check_at_least_one, check_seed, check_types
from fairdistill.errors import UsageError
from fairdistill.predictions.trained.running_options import ModelOptions
from fairdistill.system.precision import Precision
from fairdistill.system.threads import ThreadCount, check_threads
from fairdistill.text.durations import parse_duration
from fairdistill.tracking import LoggerName

MOST_STUDENTS = 8
"""As many compete at most, whatever the budget."""


@dataclass(frozen=True, kw_only=True)
class FixDataOptions:
    """Data."""

    data: str
    """Data set: {datasets}, a table (.csv, .tsv, .jsonl, .parquet) or a folder of
    class folders."""
    data_root: str | None = field(default=None, metadata={"also": "--root"})
    """Folder with the data files; default: $FAIRDISTILL_DATA, or a table's own folder."""
    data_options: Mapping[str, Any] = field(default_factory=dict)
    """The data set's own options, for example the columns of a table."""


@dataclass(frozen=True, kw_only=True)
class DeployedOptions(ModelOptions):
    """Deployed model."""

    model: str | None = None
    """Network of the weights file and of the students, named as for train --model; default: as stored in the
    model's file, else the data set's."""
    head: str | None = None
    """Module of the network that makes its outputs, a linear layer or a 1x1 convolution; default: find it by running
    the network."""


@dataclass(frozen=True, kw_only=True)
class ChoiceOptions:
    """Search and choice."""

    budget: str = "30m"
    """Time for everything, for example 90s, 30m or 2h; after Ctrl-C, the best model so far is recommended."""
    students: int = MOST_STUDENTS
    """Maximum number of networks that compete for the training time; 0: change only the last layer."""
    rule: str | RuleFunction = FIX_RULE
    """How to choose among the candidates, on the validation set; "deployed" stands for your model."""
    fair_enough: float = 0.03
    """Keep the model if, with 95% confidence, its DEO_A is below this value (0.03 = 3 points)."""
    anyway: bool = False
    """Train students even if the model's gap is within what chance alone would produce."""
    group_at_use: bool = False
    """Also consider corrections of the model's outputs; to use one, you must know each person's group."""


@dataclass(frozen=True, kw_only=True)
class StudentOptions:
    """Student training."""

    epochs: int = 50
    """Maximum number of passes over the training set for each student; fewer if the budget is short."""
    init: Literal["teacher", "scratch"] = "teacher"
    """Initial weights of the students: the deployed model's where possible (teacher), or random (scratch)."""
    batch_size: int = 128
    """Images per batch."""
    augment: Literal["auto", "standard", "randaug"] = "auto"
    """Changes of training images: standard (the data set's own crops and flips), randaug (RandAugment on top of them),
    or auto: both compete if your model does much better on its training images than on others, else standard."""
    lr: float = 1e-3
    """Learning rate; students that start from your model's weights also try 0.1 and 0.03 times this rate."""
    seed: int = 0
    """Random seed."""


@dataclass(frozen=True, kw_only=True)
class FixMachineOptions:
    """Machine and output."""

    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda or cuda:N."""
    precision: Precision = "auto"
    """float32, bfloat16 (autocast), or auto: bfloat16 where the processor supports it in hardware, else float32."""
    threads: ThreadCount = "auto"
    """CPU threads: a number, or auto: one or all, whichever is faster in a few timed steps, and again later if the
    machine has become busier or freer."""
    logger: LoggerName | None = None
    """Also send every row of the log of each student to tensorboard (in its run folder), wandb or mlflow."""
    intended_use: str | None = None
    """What the model is for, in a sentence or two; shown in the model card."""
    out: str = "fairdistill-fix"
    """Output folder; repeating the command resumes a fix that was stopped."""


# Dataclasses collect inherited fields from the last base to the first.
@dataclass(frozen=True, kw_only=True)
class FixOptions(FixMachineOptions, StudentOptions, ChoiceOptions, DeployedOptions, FixDataOptions):
    """Options of a fix: the data, the search, the students and the machine.

    Raises:
        UsageError: if a value is out of its range.

    Example:
        >>> FixOptions(data="digits-s", budget="90s").seconds
        90.0
    """

    def __post_init__(self) -> None:
        check_types(self)
        check_seed("seed", self.seed)
        check_at_least_one(self, "epochs", "batch_size", "model_size")
        check_threads(self.threads)
        if not 0 <= self.students <= MOST_STUDENTS:
            raise UsageError(f"expected students to be from 0 to {MOST_STUDENTS}, but got {self.students}")
        if not 0 <= self.fair_enough <= 1:
            raise UsageError(f"expected fair_enough to be a fraction in [0, 1], but got {self.fair_enough}; 3% is 0.03")
        _ = self.seconds, self.chooser

    @property
    def seconds(self) -> float:
        """The budget in seconds."""
        return parse_duration(self.budget, "budget")

    @property
    def chooser(self) -> Chooser:
        """The rule that chooses a candidate."""
        return chooser(self.rule, reference="deployed")


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """Options of the demo: its seed and its folder.

    Example:
        >>> DemoOptions(seed=1).out
        'fairdistill-demo'
    """

    heading: ClassVar[str] = "Demo"

    seed: int = 0
    """Random seed."""
    out: str = "fairdistill-demo"
    """Output folder; repeating the command shows its results without training again."""

    def __post_init__(self) -> None:
        check_types(self)
        check_seed("seed", self.seed)
