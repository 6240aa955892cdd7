"""Reporting: finished runs as one HTML page, with a model card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairdistill.contract import lazy_face
from fairdistill.reporting.options import ReportOptions

if TYPE_CHECKING:
    from fairdistill.reporting.report import report
    from fairdistill.reporting.result import ReportContent, ReportResult, ReportRow

__all__ = ["ReportContent", "ReportOptions", "ReportResult", "ReportRow", "report"]

__getattr__ = lazy_face(
    __name__,
    {
        "report": ("report",),
        "result": ("ReportContent", "ReportResult", "ReportRow"),
    },
)
