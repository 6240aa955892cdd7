"""Predictions of a model, from wherever they come; tables and run folders are read without torch."""

from __future__ import annotations

from fairdistill.predictions.overlap import overlap_note
from fairdistill.predictions.pairing import paired, pairing_note
from fairdistill.predictions.predictions import Predictions, run_predictions
from fairdistill.predictions.table.options import TableColumns
from fairdistill.predictions.table.reading import read_predictions

__all__ = [
    "Predictions",
    "TableColumns",
    "overlap_note",
    "paired",
    "pairing_note",
    "read_predictions",
    "run_predictions",
]
