"""Predictions of a model, from wherever they come; tables and run folders are read without torch."""

from __future__ import annotations

from fairdistill.predictions.predictions import Predictions, paired, run_predictions
from fairdistill.predictions.table import TableColumns, read_predictions

__all__ = ["Predictions", "TableColumns", "paired", "read_predictions", "run_predictions"]
