"""What every command shares: checked options in, one frozen result out."""

from __future__ import annotations

from fairdistill.contract.checks import check_seed, check_share, check_types, required_type
from fairdistill.contract.grouping import build, changed, flat, leaves
from fairdistill.contract.results import Result, key

__all__ = [
    "Result", "build", "changed", "check_seed", "check_share", "check_types", "flat", "key", "leaves", "required_type",
]  # fmt: skip
