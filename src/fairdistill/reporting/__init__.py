"""One HTML page of finished runs, with a model card."""

from __future__ import annotations

from fairdistill.reporting.report import ReportOptions, report

__all__ = ["ReportOptions", "report"]
