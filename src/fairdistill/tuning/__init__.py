"""The command ``tune``: search hyperparameters, choose one trial on validation data, read the test set once.

From :func:`tune`, the call goes through ``plan`` (options checked, data loaded), ``storage`` (the study opened),
``trials_loop`` (one trial after another) and ``conclusion`` (one chosen, the test set read, files written).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairdistill.contract import lazy_face
from fairdistill.tuning.options import TuneOptions

if TYPE_CHECKING:
    from fairdistill.tuning.result import ScoresOnTest, Trial, TuneResult
    from fairdistill.tuning.tune import tune

__all__ = ["ScoresOnTest", "Trial", "TuneOptions", "TuneResult", "tune"]

__getattr__ = lazy_face(
    __name__,
    {
        "result": ("ScoresOnTest", "Trial", "TuneResult"),
        "tune": ("tune",),
    },
)
