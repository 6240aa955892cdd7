"""What a data set contains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairdistill.contract import lazy_face
from fairdistill.inspecting.options import InspectOptions

if TYPE_CHECKING:
    from fairdistill.inspecting.inspect import inspect
    from fairdistill.inspecting.result import ImageSizes, InspectResult, Pixels, SkippedFile, SplitContents, Subgroup

__all__ = [
    "ImageSizes", "InspectOptions", "InspectResult", "Pixels", "SkippedFile", "SplitContents", "Subgroup", "inspect",
]  # fmt: skip

__getattr__ = lazy_face(
    __name__,
    {
        "inspect": ("inspect",),
        "result": ("ImageSizes", "InspectResult", "Pixels", "SkippedFile", "SplitContents", "Subgroup"),
    },
)
