"""What a data set contains."""

from __future__ import annotations

from fairdistill.inspecting.inspect import inspect
from fairdistill.inspecting.options import InspectOptions
from fairdistill.inspecting.result import ImageSizes, InspectResult, Pixels, SkippedFile, SplitContents, Subgroup

__all__ = [
    "ImageSizes", "InspectOptions", "InspectResult", "Pixels", "SkippedFile", "SplitContents", "Subgroup", "inspect",
]  # fmt: skip
