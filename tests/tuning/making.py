"""What ``tune.json`` might hold."""

from __future__ import annotations

from typing import Any


def trial(number: int, accuracy: float | None, deo_a: float = 0.0, **changes: Any) -> dict[str, Any]:
    values = None if accuracy is None else {"accuracy": accuracy, "deo_a": deo_a, "deo_m": 2 * deo_a}
    return {
        "number": number, "settings": {"mfd.strength": 0.5 * 3**number}, "state": "finished", "validation": values,
        "step": 40, "steps": 60, "seconds": 2.0, "beaten_by": None, "error": None, "host": "here",
        "folder": f"/study/trial-{number}", **changes,
    }  # fmt: skip


def record(**changes: Any) -> dict[str, Any]:
    return {
        "method": "mfd", "data": "faces.csv", "seed": 3, "search": {"mfd.strength": "0.5 to 40 (log)"},
        "sampler": "tpe", "objectives": ["accuracy", "deo_a"], "rule_in_words": "the lowest DEO_A", "steps": 60,
        "validation_rows": 1234,
        "teacher": {"model": "teacher", "validation": {"accuracy": 0.8, "deo_a": 0.3, "deo_m": 0.5}},
        "trials": [
            trial(0, 0.9, 0.2),
            trial(1, 0.85, 0.1),
            trial(2, 0.8, 0.15),
            trial(3, 0.5, 0.4, state="stopped early", steps=30, beaten_by=0),
            trial(4, None, state="failed", error="not finite"),
        ],
        "front": [0, 1], "chosen": 1, "run": "study/trial-1",
        "test": {
            "accuracy": 0.84, "deo_a": 0.12, "deo_m": 0.25, "rows": 5000,
            "teacher": {"accuracy": 0.79, "deo_a": 0.31, "deo_m": 0.52},
        },
        "closed": {"trial": 1, "when": "2026-01-02T03:04:05+00:00", "trials": 5, "rule": "deo_a"},
        "notes": [],
        "environment": {
            "fairdistill": "1", "packages": {"torch": "2", "optuna": "5"}, "processor": "a processor", "device": "cpu",
        },
        **changes,
    }  # fmt: skip
