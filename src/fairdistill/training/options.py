"""The options of one training run; every one is also an option of ``fairdistill train`` and a key in its YAML."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from fairdistill.contract import check_seed, check_types, present_names
from fairdistill.errors import UsageError
from fairdistill.system.runtime import Precision

Protocol = Literal["honest", "paper"]
Optimizer = Literal["adam", "adamw", "sgd"]
ScheduleName = Literal["plateau", "cosine", "constant"]


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """Options of one training run.

    Raises:
        UsageError: if a value is out of its range, or options exclude each other.

    Example:
        >>> TrainOptions(method="ss", epochs=5).protocol
        'honest'
    """

    data: str = "digits-s"
    """Data set: {datasets}, a table (.csv, .tsv, .parquet) or a folder of class folders."""
    data_root: str | None = field(default=None, metadata={"also": "--root"})
    """Folder with the data files; default: $FAIRDISTILL_DATA, for a table the table's folder."""
    data_options: Mapping[str, Any] = field(default_factory=dict)
    """The data set's own options, such as skew and data_seed."""
    method: str = "scratch"
    """One of {methods}; or a sum, for example ss+hkd."""
    set: Mapping[str, float] = field(default_factory=dict)
    """Settings of the method's terms, TERM.SETTING=VALUE, such as mfd.strength=7; default: the paper's Table 1, or
    each method's own paper."""
    model: str | None = None
    """Network: cifar_net, digit_net, resnet18, shufflenet_v2_x1_0, torchvision:NAME, timm:NAME or MODULE:FACTORY;
    default: the data set's."""
    tap: str | None = None
    """Module whose output is the feature, such as layer4; or NAME=MODULE,... for feature, map and embedding."""
    pseudo_groups: bool = False
    """Guess the group of training rows that lack one, where a classifier of the group is sure enough."""
    known_groups: float = 1.0
    """For experiments: hide the group of all but this share of the training and validation rows."""
    init: str = "scratch"
    """Where the weights start: scratch, teacher, pretrained (from the network's hub), or a weights file."""
    teacher: str | None = None
    """The teacher: a run folder (the student takes its data options and split), a file of weights (.safetensors, .pt)
    or an exported program (.pt2)."""
    teacher_model: str | None = None
    """Network of a teacher that is a file of weights, named as for --model."""
    teacher_size: int | None = None
    """Height and width of the teacher's input; default: what its file says, else the student's."""
    teacher_mean: str | None = None
    """Channel means of the teacher's input; default: what its file says, else the student's."""
    teacher_std: str | None = None
    """Channel standard deviations of the teacher's input; default: what its file says, else the student's."""
    teacher_tap: str | None = None
    """The teacher's modules, as for --tap."""
    protocol: Protocol = "honest"
    """honest: validation split, test set read once. paper: the paper's rules, which look at the test set."""
    epochs: int | None = None
    """Budget in passes over the training set; default 50. In the honest protocol every method gets the same steps."""
    steps: int | None = None
    """Budget in optimizer steps, instead of --epochs."""
    batch_size: int = 128
    """Rows in a batch; a balanced one holds the largest multiple of the number of cells."""
    optimizer: Optimizer = "adam"
    """adam, adamw, or sgd with momentum 0.9."""
    lr: float = 1e-3
    """Learning rate."""
    weight_decay: float = 0.0
    """Weight decay."""
    schedule: ScheduleName = "plateau"
    """plateau: a tenth after ten evaluations without improvement; cosine: down to zero; constant."""
    seed: int = 0
    """Seed of weights, sampling, augmentation and dropout."""
    split_seed: int | None = None
    """Which rows are validation; default: the teacher's, else 0 (paper protocol: no split)."""
    strict_cells: bool = False
    """Make an empty (class, group) cell an error instead of a warning."""
    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda or cuda:N."""
    precision: Precision = "auto"
    """auto: bfloat16 autocast where the processor has it in hardware, else float32."""
    compile: bool = False
    """Compile the student with torch.compile."""
    threads: int | None = None
    """CPU threads; default: PyTorch's choice."""
    cache_memory: float = 2.0
    """Teacher outputs up to this many GiB are kept in memory, beyond it in a mapped file."""
    cache_dir: str | None = None
    """Folder of the teacher's cached outputs; default: .teacher-cache beside the run folder."""
    teacher_cache: bool = True
    """Compute the teacher's outputs once where the augmentation allows it, instead of in every step."""
    out: str | None = None
    """Run folder to make; default: runs/DATA-METHOD-seedN."""

    def __post_init__(self) -> None:
        check_types(self)
        object.__setattr__(self, "set", present_names(self.set))
        if self.epochs is not None and self.steps is not None:
            raise UsageError(f"epochs={self.epochs} and steps={self.steps} exclude each other; give one")
        for name in ("epochs", "steps", "batch_size", "threads", "teacher_size"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"expected {name} to be at least 1, but got {value}")
        if self.batch_size < 2:
            raise UsageError(f"expected batch_size to be at least 2, but got {self.batch_size}")
        for name, low, open_ in (
            ("lr", 0.0, True),
            ("weight_decay", 0.0, False),
            ("cache_memory", 0.0, False),
        ):
            value = getattr(self, name)
            if not math.isfinite(value) or value < low or (open_ and value == low):
                raise UsageError(f"expected {name} to be {'positive' if open_ else 'at least 0'}, but got {value}")
        if not 0 < self.known_groups <= 1:
            raise UsageError(f"expected known_groups to be a share in (0, 1], but got {self.known_groups}")
        if self.pseudo_groups and self.protocol == "paper":
            raise UsageError(
                "--pseudo-groups chooses its threshold on validation data, which --protocol paper has none of but the "
                "test set; leave one of them out"
            )
        for name in ("seed", "split_seed"):
            value = getattr(self, name)
            if value is not None:
                check_seed(name, value)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> TrainOptions:
        """Return the options of a mapping, such as a run's ``config.yaml``; an unknown key is an error."""
        known = {option.name for option in fields(cls)}
        for key in values:
            if key not in known:
                raise UsageError(f"unknown option {key!r}; train has: {', '.join(sorted(known))}")
        return cls(**values)
