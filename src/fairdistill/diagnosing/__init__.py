"""What is installed here and what is missing."""

from __future__ import annotations

from fairdistill.diagnosing.diagnose import diagnose
from fairdistill.diagnosing.result import DoctorResult, Extra, Package

__all__ = ["DoctorResult", "Extra", "Package", "diagnose"]
