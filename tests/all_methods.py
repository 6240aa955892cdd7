"""The methods that tests ask for by their kind, so that a new one is tested without being listed."""

from __future__ import annotations

import torch

from fairdistill import paper
from fairdistill.losses import TermContext
from fairdistill.methods import METHODS, Method
from fairdistill.types import TapName

BEYOND_THE_PAPER = [name for name in METHODS if name not in paper.ROWS]

_SHAPES: dict[TapName, tuple[int, ...]] = {"embedding": (5,), "map": (3, 2, 2), "logits": (3,), "feature": (4,)}


def looks_across_rows(method: Method) -> bool:
    """Return whether a term of the method reads the whole batch, where several processes share it."""
    context = TermContext(3, 2, _SHAPES, _SHAPES, torch.ones(3, 2, dtype=torch.int64))
    return any(spec.build(context).whole_batch for spec in method.all_terms)
