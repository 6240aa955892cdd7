"""Exporting a model to where it runs, and auditing the exported file."""

from __future__ import annotations

from fairdistill.exporting.export import export
from fairdistill.exporting.options import ExportOptions
from fairdistill.exporting.result import ExportResult, Reaudit, Values

__all__ = ["ExportOptions", "ExportResult", "Reaudit", "Values", "export"]
