"""Finished runs side by side."""

from __future__ import annotations

from fairdistill.comparing.compare import CompareOptions, compare

__all__ = ["CompareOptions", "compare"]
