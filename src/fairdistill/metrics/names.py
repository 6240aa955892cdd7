"""The three metrics of every table, by their key in files and their name in texts."""

from __future__ import annotations

METRICS = {"accuracy": "Accuracy", "deo_a": "DEO_A", "deo_m": "DEO_M"}
