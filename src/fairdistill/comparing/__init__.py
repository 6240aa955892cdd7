"""Finished runs side by side."""

from __future__ import annotations

from fairdistill.comparing.compare import compare
from fairdistill.comparing.gathering import is_row_file
from fairdistill.comparing.options import CompareOptions
from fairdistill.comparing.result import CompareResult, CompareRow, OverSeeds
from fairdistill.comparing.text import formatted

__all__ = ["CompareOptions", "CompareResult", "CompareRow", "OverSeeds", "compare", "formatted", "is_row_file"]
