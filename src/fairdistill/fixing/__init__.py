"""Fixing: what to do about a deployed model that treats groups unequally."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairdistill.contract import lazy_face
from fairdistill.fixing.options import DemoOptions, FixOptions
from fairdistill.fixing.tables.options import TableFixOptions

if TYPE_CHECKING:
    from fairdistill.fixing.demo import demo
    from fairdistill.fixing.fix import fix
    from fairdistill.fixing.result import FixResult
    from fairdistill.fixing.tables.fix import fix_predictions

__all__ = [
    "DemoOptions", "FixOptions", "FixResult", "TableFixOptions", "demo", "fix", "fix_predictions",
]  # fmt: skip

__getattr__ = lazy_face(
    __name__,
    {
        "demo": ("demo",),
        "fix": ("fix",),
        "result": ("FixResult",),
        "tables.fix": ("fix_predictions",),
    },
)
