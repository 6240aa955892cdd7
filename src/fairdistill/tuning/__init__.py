"""How one of several models is chosen, and the command that searches hyper-parameters."""

from __future__ import annotations

from fairdistill.tuning.conclusion import TuneResult
from fairdistill.tuning.options import TuneOptions
from fairdistill.tuning.tune import tune

__all__ = ["TuneOptions", "TuneResult", "tune"]
