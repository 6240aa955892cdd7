"""The options of one training run; every one is also an option of ``fairdistill train`` and a key in its YAML.

They are declared in small groups, which :class:`TrainOptions` inherits; a function that reads one group takes that
class. Importing this does not load PyTorch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from fairdistill.contract import check_at_least_one, check_seed, present_names
from fairdistill.data.recipe import Augmentation, Augmenting
from fairdistill.errors import UsageError
from fairdistill.system.precision import Precision
from fairdistill.system.threads import ThreadCount, check_threads
from fairdistill.tracking import LoggerName
from fairdistill.training.settings.keeping import rule_of
from fairdistill.training.settings.learning_options import LearningOptions
from fairdistill.training.settings.option_group import OptionGroup
from fairdistill.training.settings.protocol import PROTOCOLS, Protocol, ProtocolName
from fairdistill.training.settings.recipe import RECIPES, Learning


@dataclass(frozen=True, kw_only=True)
class DataOptions(OptionGroup):
    """Data."""

    data: str = "digits-s"
    """Data set: {datasets}, a table (.csv, .tsv, .jsonl, .parquet) or a folder of
    class folders."""
    data_root: str | None = field(default=None, metadata={"also": "--root"})
    """Folder with the data files; default: $FAIRDISTILL_DATA, or a table's own folder."""
    data_options: Mapping[str, Any] = field(default_factory=dict)
    """The data set's own options, for example skew and data_seed."""
    augment: Augmentation = "standard"
    """Changes of training images: standard (the data set's own crops and flips) or randaug (RandAugment on top of them;
    a teacher sees the same images, unless --teacher-images is plain)."""


@dataclass(frozen=True, kw_only=True)
class MethodOptions(OptionGroup):
    """Method."""

    method: str = "scratch"
    """One of {methods}; MODULE:NAME for one of your own code; or a sum, for example ss+hkd."""
    set: Mapping[str, float] = field(default_factory=dict)
    """Hyperparameter of one of the method's loss terms, for example mfd.strength=7; can be repeated. Default: the value
    in the paper's Table 1, or in the method's own paper."""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "set", present_names(self.set))


@dataclass(frozen=True, kw_only=True)
class NetworkOptions(OptionGroup):
    """Network."""

    model: str | None = None
    """Network: cifar_net, digit_net, resnet18, shufflenet_v2_x1_0, torchvision:NAME, timm:NAME or MODULE:FACTORY;
    default: the data set's."""
    tap: str | None = None
    """Module whose output is the feature, for example layer4; or NAME=MODULE,... for feature, map and embedding."""


@dataclass(frozen=True, kw_only=True)
class GroupLabelOptions(OptionGroup):
    """Missing group labels."""

    pseudo_groups: bool = False
    """Predict the missing group labels of training images, where a group classifier is confident enough."""
    known_groups: float = 1.0
    """For experiments: keep the group labels of only this fraction of the training and validation images."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.known_groups <= 1:
            raise UsageError(f"expected known_groups to be a fraction in (0, 1], but got {self.known_groups}")


@dataclass(frozen=True, kw_only=True)
class TeacherOptions(OptionGroup):
    """Initial weights and teacher."""

    init: str = "scratch"
    """Initial weights: scratch, teacher (--model is then the teacher's network by default), pretrained (from the
    network's hub), or a weights file."""
    weights_key: str | None = None
    """Key of the weights in an --init file with several, for example state_dict_ema."""
    teacher: str | None = None
    """Teacher: a run folder (the student then uses its data options and split), a weights file (.safetensors, .pt) or
    a complete program (.pt2, TorchScript, ONNX)."""
    teacher_model: str | None = None
    """Network of a teacher given as a weights file, named as for --model."""
    teacher_weights_key: str | None = None
    """Key of the weights in a teacher's file with several, for example state_dict_ema."""
    teacher_size: int | None = None
    """Height and width of the teacher's input; default: as stored in its file or in a config.json beside it, else the
    student's."""
    teacher_mean: str | None = None
    """Channel means of the teacher's input; default: as for its size."""
    teacher_std: str | None = None
    """Channel standard deviations of the teacher's input; default: as for its mean."""
    teacher_input: str | None = None
    """How images become the teacher's input, for example center:256,bicubic. Words: whole, center:SHORT or square:SIZE;
    nearest, bilinear, bicubic, lanczos, box or hamming; antialias or aliased; rounded or floor (where a center begins);
    rgb or bgr. Default: as for its size, else whole,bilinear,antialias,rgb."""
    teacher_outputs: Literal["auto", "logits", "probabilities"] = "auto"
    """What the teacher's outputs are; auto: find out by running it."""
    teacher_tap: str | None = None
    """Modules of the teacher to read, as for --tap."""
    teacher_images: Literal["same", "plain"] = "same"
    """What the teacher sees of each training image: same (crops and other changes as for the student) or plain (flipped
    as for the student, otherwise unchanged, so that its outputs can be computed once however the student's images
    change)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_at_least_one(self, "teacher_size")


@dataclass(frozen=True, kw_only=True)
class BudgetOptions(OptionGroup):
    """Protocol and budget."""

    protocol: ProtocolName = "honest"
    """honest: use a validation set and read the test set once. paper: the paper's rules, which use the test set for
    validation."""
    epochs: int | None = None
    """Budget in passes over the training set; default 50. In the honest protocol every method gets the same
    number of steps."""
    steps: int | None = None
    """Budget in optimizer steps, instead of --epochs."""
    keep: str | None = None
    """Evaluation whose weights are kept: loss (the one with the lowest mean loss of the subgroups), last, or the best
    by a rule, for example "deo_a subject to balanced_accuracy >= 0.65"; default: loss, in the paper protocol last."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.epochs is not None and self.steps is not None:
            raise UsageError(f"epochs={self.epochs} and steps={self.steps} exclude each other; give only one")
        check_at_least_one(self, "epochs", "steps")
        if self.keep is not None:
            self._check_keep(self.keep)

    def _check_keep(self, keep: str) -> None:
        if self.rules.validates_on_test and keep != self.rules.keeps:
            raise UsageError(
                f"--keep {keep!r} would choose weights on the test set, since --protocol {self.protocol} has no "
                "validation set; drop one of the two"
            )
        rule_of(keep)

    @property
    def rules(self) -> Protocol:
        """The settings of the protocol."""
        return PROTOCOLS[self.protocol]


@dataclass(frozen=True, kw_only=True)
class SamplingOptions(OptionGroup):
    """Seeds and splits."""

    seed: int = 0
    """Seed for weights, sampling, augmentation and dropout."""
    split_seed: int | None = None
    """Seed for the train/validation split; default: the teacher's, else 0 (paper protocol: no split)."""
    strict_cells: bool = False
    """Make an empty subgroup (no image of some class and group) an error instead of a warning."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_seed("seed", self.seed)
        if self.split_seed is not None:
            check_seed("split_seed", self.split_seed)


@dataclass(frozen=True, kw_only=True)
class MachineOptions(OptionGroup):
    """Machine and output."""

    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda or cuda:N."""
    precision: Precision = "auto"
    """float32, bfloat16 (autocast), or auto: bfloat16 where the processor supports it in hardware, else float32."""
    compile: bool = False
    """Compile the student with torch.compile."""
    cuda_graph: bool = False
    """Record the steps as CUDA graphs and replay them, which spares the processor work where it limits a small network
    on a GPU. Methods whose loss cannot be recorded run without."""
    threads: ThreadCount = "auto"
    """CPU threads: a number, or auto: one or all, whichever is faster in a few timed steps, and again later if the
    machine has become busier or freer."""
    cache_memory: float = 2.0
    """Keep up to this many GiB of teacher outputs in memory; larger caches are memory-mapped."""
    cache_dir: str | None = None
    """Folder for cached teacher outputs; default: .teacher-cache next to the run folder."""
    teacher_cache: bool = True
    """Compute the teacher's outputs once where the augmentation allows it, instead of in every step."""
    logger: LoggerName | None = None
    """Also send every row of log.jsonl, and the result, to tensorboard (in the run folder), wandb or mlflow."""
    out: str | None = None
    """Run folder to create; default: runs/DATA-METHOD-seedN."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_threads(self.threads)
        self.check_finite("cache_memory")


# Dataclasses collect inherited fields from the last base to the first: this is the order of --help and config.yaml.
@dataclass(frozen=True, kw_only=True)
class TrainOptions(
    MachineOptions,
    SamplingOptions,
    LearningOptions,
    BudgetOptions,
    TeacherOptions,
    GroupLabelOptions,
    NetworkOptions,
    MethodOptions,
    DataOptions,
):
    """Options of one training run.

    Raises:
        UsageError: if a value is out of its range, or options exclude each other.

    Example:
        >>> TrainOptions(method="ss", epochs=5).protocol
        'honest'
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pseudo_groups and self.rules.validates_on_test:
            raise UsageError(
                f"--pseudo-groups needs a validation set, but --protocol {self.protocol} has none; drop one of the two"
            )
        if self.recipe != "default" and self.rules.validates_on_test:
            raise UsageError(
                f"--recipe {self.recipe} changes what the paper trained, so --protocol {self.protocol} refuses it; "
                "drop one of the two"
            )
        self._check_learning()

    def _check_learning(self) -> None:
        for name in ("scratch_weights", "whitening"):
            if self.init != "scratch" and getattr(self, name) not in (None, "default", "off"):
                raise UsageError(
                    f"--{name.replace('_', '-')} {getattr(self, name)} is for --init scratch, not {self.init}; drop one"
                )
        learning = self.learning
        if learning.lr_warmup and learning.schedule in ("plateau", "onecycle"):
            raise UsageError(
                f"--lr-warmup {learning.lr_warmup:g} does not fit --schedule {learning.schedule}; choose cosine, "
                "linear or constant"
            )

    @property
    def learning(self) -> Learning:
        """How the run learns: the recipe, with the options that were given in place of its own.

        Example:
            >>> options = TrainOptions(recipe="fast", schedule="constant")
            >>> options.learning.schedule, options.learning.lr == TrainOptions(recipe="fast").learning.lr
            ('constant', True)
        """
        given = {each.name: getattr(self, each.name) for each in fields(Learning)}
        base = RECIPES[self.recipe]
        if self.init != "scratch":
            base = replace(base, whitening="off", scratch_weights="default")
        if self.schedule in ("plateau", "onecycle"):
            base = replace(base, lr_warmup=0.0)
        return replace(base, **{name: value for name, value in given.items() if value is not None})

    @property
    def augmenting(self) -> Augmenting:
        """How training images are changed, beyond the data set's own crops and flips."""
        learning = self.learning
        return Augmenting(
            policy=self.augment,
            alternating_flip=learning.alternating_flip,
            crop_padding=learning.crop_padding,
            cutout=learning.cutout,
        )

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> TrainOptions:
        """Return the options of a mapping, for example a run's ``config.yaml``; an unknown key is an error."""
        known = {option.name for option in fields(cls)}
        for key in values:
            if key not in known:
                raise UsageError(f"train has no option {key!r}; it has: {', '.join(sorted(known))}")
        return cls(**values)
