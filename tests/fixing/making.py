"""Results of a fix, made without training."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fairdistill.auditing import AuditResult, ModelChange
from fairdistill.fixing.candidates import scores_of
from fairdistill.fixing.result import CandidateResult, FixResult
from fairdistill.metrics import GapChange
from tests.fixing.test_candidates import predictions


def change(value: float, low: float, high: float) -> GapChange:
    return GapChange(value, low, high, 0.01, value)


def model_change(**changes: Any) -> ModelChange:
    return ModelChange(**{
        "accuracy": change(0.01, -0.01, 0.03), "balanced_accuracy": change(0.02, -0.01, 0.04),
        "deo_a": change(-0.2, -0.3, -0.1), "deo_m": change(-0.2, -0.3, -0.1),
        "cells": (), "levels_down": False, "share_levelled_down": 0.0, "share_levelled_down_low": 0.0,
        "share_levelled_down_high": 0.4, "worst_groups": 0.1, "worst_groups_low": 0.05, "worst_groups_high": 0.15,
        "best_groups": 0.0, "best_groups_low": -0.05, "best_groups_high": 0.05, **changes,
    })  # fmt: skip


def candidate(name: str, **changes: Any) -> CandidateResult:
    return CandidateResult(**{
        "name": name, "description": "it", "needs_group": False, "breaks_rule": (),
        **asdict(scores_of(predictions(shift=2.0))), **changes,
    })  # fmt: skip


def fix_result(audited: AuditResult, **changes: Any) -> FixResult:
    """Return a fix that recommends a student; ``audited`` is what every audit said."""
    return FixResult(**{
        "version": "1", "deployed": "old.pt", "chosen": "mfd-3", "description": "an mfd student", "settings": {},
        "model": "out/mfd-3/model.safetensors", "why_kept": None, "fair_enough": 0.03, "needs_group": False,
        "rule": "deo_a", "validation": audited, "candidates": (candidate("keep"), candidate("mfd-3")),
        "promised": model_change(), "dropped": None, "kept": model_change(), "confirmed": True, "metric": "deo_a",
        "breaks_rule": (), "use": None, "test_before": audited, "test_after": audited, "test_read_before": (),
        "notes": (), "epochs": 3, **changes,
    })  # fmt: skip
