"""Predictions of a model, from wherever they come."""

from __future__ import annotations

from fairdistill.predictions.predictions import Predictions

__all__ = ["Predictions"]
