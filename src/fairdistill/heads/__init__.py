"""Fits of a classifier's last layer on cached features: fairer heads in seconds, the network left as it is.

Nothing here knows networks or files: features, classes, groups and a linear head go in, linear heads come out. None of
them needs a person's group when it is used.
"""

from __future__ import annotations

from fairdistill.heads.data import HeadData
from fairdistill.heads.fitting import FittedOn, HeadFit, HeadSkipped, fit_heads
from fairdistill.heads.head import Head, logits_toward
from fairdistill.heads.methods import HEAD_METHODS, HeadMethod
from fairdistill.heads.source import ScoredFit, better_source

__all__ = [
    "HEAD_METHODS", "FittedOn", "Head", "HeadData", "HeadFit", "HeadMethod", "HeadSkipped", "ScoredFit",
    "better_source", "fit_heads", "logits_toward",
]  # fmt: skip
