"""Measure how unequally an image classifier treats groups of people, and distil a fairer one from it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from fairdistill._version import __version__

if TYPE_CHECKING:
    from fairdistill import data, losses, metrics
    from fairdistill.auditing.audit import audit
    from fairdistill.embedding.embed import embed
    from fairdistill.reporting.report import report
    from fairdistill.runs.load import load
    from fairdistill.training import TrainOptions, train

__all__ = [
    "TrainOptions", "__version__", "audit", "data", "embed", "load", "losses", "metrics", "report", "train",
]  # fmt: skip

_MODULES = ("data", "losses", "metrics")

# Imported at first use, so that `fairdistill --help` and the metrics never wait for torch.
_HOME = {
    "TrainOptions": "fairdistill.training",
    "audit": "fairdistill.auditing.audit",
    "data": "fairdistill.data",
    "embed": "fairdistill.embedding",
    "load": "fairdistill.runs.load",
    "losses": "fairdistill.losses",
    "metrics": "fairdistill.metrics",
    "report": "fairdistill.reporting",
    "train": "fairdistill.training",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'fairdistill' has no attribute {name!r}")
    home = importlib.import_module(_HOME[name])
    value = home if name in _MODULES else getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
