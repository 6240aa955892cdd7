"""Recipes: what makes a network learn, as named sets of options. Importing this does not load PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

OptimizerName = Literal["adam", "adamw", "sgd", "nesterov", "muon"]
ScheduleName = Literal["plateau", "cosine", "linear", "onecycle", "constant"]
WhiteningName = Literal["off", "frozen", "trained"]
WeightsName = Literal["default", "he", "dirac"]
RecipeName = Literal["default", "fast"]


@dataclass(frozen=True, kw_only=True)
class Learning:
    """How a run learns: the options of :class:`~fairdistill.training.options.TrainOptions` that ``--recipe`` sets.

    Example:
        >>> Learning().optimizer, Learning().lr
        ('adam', 0.001)
    """

    batch_size: int = 128
    optimizer: OptimizerName = "adam"
    lr: float = 1e-3
    weight_decay: float = 0.0
    schedule: ScheduleName = "plateau"
    lr_warmup: float = 0.0
    ema: float = 0.0
    label_smoothing: float = 0.0
    alternating_flip: bool = False
    crop_padding: int = 0
    cutout: int = 0
    whitening: WhiteningName = "off"
    scratch_weights: WeightsName = "default"


FAST = Learning(
    optimizer="muon",
    lr=1.5e-3,
    weight_decay=0.01,
    schedule="onecycle",
    ema=0.995,
    label_smoothing=0.1,
    alternating_flip=True,
    crop_padding=2,
    whitening="frozen",
    scratch_weights="dirac",
)
"""For budgets of a few epochs: the best on validation images of those in results/recipe.md."""

RECIPES: Mapping[RecipeName, Learning] = {"default": Learning(), "fast": FAST}
"""The recipes by name."""
