"""Timing two or more things in turn, so that what else the machine does hits all of them alike."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import torch

from fairdistill.system.runtime import choose_runtime
from fairdistill.training import describe_environment


def interleaved(tasks: Mapping[str, Callable[[], object]], *, rounds: int, warmup: int = 3) -> dict[str, list[float]]:
    """Return the seconds of each task in each round; in every round each task runs once, in turn."""
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for current in range(-warmup, rounds):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            took = time.perf_counter() - start
            if current >= 0:
                times[name].append(took)
    return times


def median_and_quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the median and the lower and upper quartile."""
    low, middle, high = statistics.quantiles(values, n=4)
    return middle, low, high


def ratio(numerator: Sequence[float], denominator: Sequence[float]) -> tuple[float, float, float]:
    """Return the median and the quartiles of the ratios of rounds."""
    return median_and_quartiles([a / b for a, b in zip(numerator, denominator, strict=True)])


def hardware() -> str:
    """Return one line that says what was measured on."""
    facts = describe_environment(choose_runtime("auto", "auto"), seed=0)
    return (
        f"{facts.processor}, {facts.device}, torch {torch.__version__}, Python {platform.python_version()}, "
        f"fairdistill {facts.fairdistill} ({(facts.commit or 'no commit')[:9]})"
    )
