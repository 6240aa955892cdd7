"""What a data set holds."""

from __future__ import annotations

from fairdistill.inspecting.inspect import InspectOptions, inspect

__all__ = ["InspectOptions", "inspect"]
