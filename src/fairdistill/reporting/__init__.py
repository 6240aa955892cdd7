"""One HTML page of finished runs, with a model card."""

from __future__ import annotations

from fairdistill.reporting.options import ReportOptions
from fairdistill.reporting.report import report
from fairdistill.reporting.result import ReportContent, ReportResult, ReportRow

__all__ = ["ReportContent", "ReportOptions", "ReportResult", "ReportRow", "report"]
