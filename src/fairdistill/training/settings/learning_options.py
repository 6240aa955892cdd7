"""The options that decide how fast a network learns: those that a recipe sets. Importing this does not load PyTorch."""

from __future__ import annotations

from dataclasses import dataclass

from fairdistill.contract import check_at_least_one
from fairdistill.errors import UsageError
from fairdistill.training.settings.option_group import OptionGroup
from fairdistill.training.settings.recipe import OptimizerName, RecipeName, ScheduleName, WeightsName, WhiteningName


@dataclass(frozen=True, kw_only=True)
class LearningOptions(OptionGroup):
    """Recipe and optimizer."""

    recipe: RecipeName = "default"
    """Defaults of the options that decide how fast a network learns. fast: for budgets of a few epochs; honest protocol
    only. Options that are given take precedence."""
    batch_size: int | None = None
    """Images per batch; a balanced batch holds the largest multiple of the number of subgroups that fits. Default: the
    recipe's, otherwise 128."""
    optimizer: OptimizerName | None = None
    """adam, adamw, sgd with momentum 0.9, nesterov (sgd with Nesterov momentum 0.9), or muon (orthogonalized momentum
    for the weights of hidden layers, adamw for the others). Default: the recipe's, otherwise adam."""
    lr: float | None = None
    """Learning rate. Default: the recipe's, otherwise 0.001."""
    weight_decay: float | None = None
    """Weight decay. Default: the recipe's, otherwise 0."""
    schedule: ScheduleName | None = None
    """plateau: divide the learning rate by 10 after ten evaluations without improvement; cosine and linear: decay to
    zero; onecycle: rise to it over the first 30% of the steps, then decay to zero; constant. Default: the recipe's,
    otherwise plateau."""
    lr_warmup: float | None = None
    """Fraction of the steps over which the learning rate first rises linearly, with the schedules cosine, linear and
    constant. Default: the recipe's, otherwise 0."""
    ema: float | None = None
    """Evaluate and keep an exponential moving average of the weights with this decay, for example 0.99; 0: the weights
    themselves. Default: the recipe's, otherwise 0."""
    label_smoothing: float | None = None
    """Share of the class loss that is spread evenly over all classes, for example 0.1. Default: the recipe's, otherwise
    0."""
    alternating_flip: bool | None = None
    """Flip images in every second pass over them instead of at random, if the data set's images are flipped. Default:
    the recipe's, otherwise no."""
    crop_padding: int | None = None
    """Shift each training image by up to this many pixels; its edges are reflected. Default: the recipe's, otherwise
    0."""
    cutout: int | None = None
    """Cover a square of each training image with gray; the side in pixels. Default: the recipe's, otherwise 0."""
    scratch_weights: WeightsName | None = None
    """Distribution of the weights of --init scratch: default (the network's own), he (He et al. 2015: normal, so that
    the scale of activations is kept) or dirac (he, with convolutions that pass their input through). Default: the
    recipe's, otherwise default."""
    whitening: WhiteningName | None = None
    """Initial weights of the first convolution: filters that whiten patches of the training images, frozen or trained
    further; off: as the other layers. Default: the recipe's, otherwise off."""
    dropout: float | None = None
    """Rate of the network's dropout layers; default: the network's own."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_at_least_one(self, "batch_size")
        for name in ("crop_padding", "cutout"):
            self.check_finite(name)
        if self.batch_size is not None and self.batch_size < 2:
            raise UsageError(f"expected batch_size to be at least 2, but got {self.batch_size}")
        self.check_finite("lr", positive=True)
        self.check_finite("weight_decay")
        if self.ema is not None and not 0 <= self.ema < 1:
            raise UsageError(f"expected ema to be a decay in [0, 1), for example 0.99, but got {self.ema}")
        for name in ("label_smoothing", "lr_warmup", "dropout"):
            share = getattr(self, name)
            if share is not None and not 0 <= share < 1:
                raise UsageError(f"expected {name} to be a fraction in [0, 1), but got {share}")
