"""Exporting a model to where it runs, and auditing the exported file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairdistill.contract import lazy_face
from fairdistill.exporting.options import ExportOptions

if TYPE_CHECKING:
    from fairdistill.exporting.export import export
    from fairdistill.exporting.result import ExportResult, Reaudit, Values

__all__ = ["ExportOptions", "ExportResult", "Reaudit", "Values", "export"]

__getattr__ = lazy_face(
    __name__,
    {
        "export": ("export",),
        "result": ("ExportResult", "Reaudit", "Values"),
    },
)
