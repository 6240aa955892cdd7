"""Every loss there is, found by its name, so that a new one is tested by what it promises without being listed."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from fairdistill import losses
from fairdistill.losses import TermSpec
from tests.losses.contract import random

FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: getattr(losses, name) for name in losses.__all__ if name.endswith("_loss")
}
MODULES: dict[str, type[nn.Module]] = {
    name: getattr(losses, name) for name in losses.__all__ if name.endswith("Loss") and name[0].isupper()
}
SPECS: list[type[TermSpec]] = [
    found for found in (getattr(losses, name) for name in losses.__all__)
    if isinstance(getattr(found, "name", None), str) and hasattr(found, "build")
]  # fmt: skip

NUM_CLASSES, NUM_GROUPS = 3, 2
LABELS = torch.tensor([0, 0, 1, 1, 2, 2])
GROUPS = torch.tensor([0, 1, 0, 1, 1, 1])

# What an argument of this name is, whichever loss it belongs to.
ARGUMENTS: dict[str, Callable[[], Any]] = {
    "student": lambda: random(6, 4),
    "teacher": lambda: random(6, 4, seed=1),
    "student_map": lambda: random(6, 3, 2, 2),
    "teacher_map": lambda: random(6, 3, 2, 2, seed=1),
    "student_logits": lambda: random(6, NUM_CLASSES),
    "teacher_logits": lambda: random(6, NUM_CLASSES, seed=1),
    "logits": lambda: random(6, NUM_CLASSES),
    "head_logits": lambda: random(6, NUM_GROUPS, NUM_CLASSES),
    "labels": lambda: LABELS,
    "groups": lambda: GROUPS,
    "num_classes": lambda: NUM_CLASSES,
    "num_groups": lambda: NUM_GROUPS,
    "temperature": lambda: 2.5,
    "cell_weights": lambda: random(NUM_CLASSES, NUM_GROUPS).exp(),
    "log_weights": lambda: torch.full((NUM_CLASSES, NUM_GROUPS), 1 / 6, dtype=torch.float32).log(),
    "totals": lambda: torch.zeros(2, NUM_CLASSES, NUM_GROUPS),
}


def function_of(module: type[nn.Module]) -> Callable[..., Any] | None:
    """Return the function in the module's own file, None if that has none."""
    return next((f for f in FUNCTIONS.values() if f.__module__ == module.__module__), None)


def settings_of(call: Callable[..., Any]) -> dict[str, Any]:
    """Return the keyword-only parameters by name, each with its default, or with a value where it has none."""
    found = inspect.signature(call).parameters.values()
    return {
        each.name: ARGUMENTS[each.name]() if each.default is each.empty else each.default
        for each in found
        if each.kind is each.KEYWORD_ONLY
    }


def inputs_of(call: Callable[..., Any]) -> dict[str, Tensor]:
    """Return an input for each positional parameter."""
    found = inspect.signature(call).parameters.values()
    names = [each.name for each in found if each.kind is each.POSITIONAL_OR_KEYWORD and each.name != "self"]
    return {name: ARGUMENTS[name]() for name in names}


def defined_beside(function: Callable[..., Any]) -> list[str]:
    """Return the names of the public modules in a function's file."""
    home = vars(sys.modules[function.__module__])
    return [name for name, module in MODULES.items() if home.get(name) is module]
