"""The demonstration: a biased model of handwritten digits, and what ``fix`` finds to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fairdistill.contract import check_seed, check_types
from fairdistill.fixing import FixOptions, fix
from fairdistill.fixing.text import recommendation

_STUDENTS = 2  # ss, and mfd at the paper's strength
_NO_LIMIT = "1h"  # so that the steps, and with them the numbers, do not depend on how fast the machine is


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """Options of the demonstration."""

    seed: int = 0
    """Seed of everything that is drawn."""
    out: str = "fairdistill-demo"
    """Folder to write; what is finished in it is shown again, not trained again."""

    def __post_init__(self) -> None:
        check_types(self)
        check_seed("seed", self.seed)


def demo(options: DemoOptions) -> dict[str, Any]:
    """Train a biased model, look for a fairer one with ``ss`` and ``mfd``, and print the recommendation.

    Returns:
        What ``fix.json`` holds.
    """
    print(
        "Handwritten digits on grey or coloured paper. In training 95% of the digits 0-4 are on grey paper and\n"
        "95% of 5-9 on coloured paper; in the test every digit is on both. A fair classifier reads the digit.\n",
        flush=True,
    )
    said = fix(
        None,
        FixOptions(data="digits-s", students=_STUDENTS, budget=_NO_LIMIT, seed=options.seed, out=options.out),
        {},
    )
    print(recommendation(said))
    print(f"\n{in_words(said)}")
    print(f"\nAll of it is in {options.out}/" + (f"; as a page: {options.out}/report.html" if said["model"] else ""))
    print(
        "Your own model and images: fairdistill fix MODEL --data TABLE.csv --image COLUMN --label COLUMN --group COLUMN"
    )
    return said


def in_words(said: Mapping[str, Any]) -> str:
    """Return what the numbers of the test set mean, in two plain sentences."""
    accuracy, gap, worst = (
        100 * said["test_before"]["metrics"][name]["value"] for name in ("accuracy", "deo_a", "deo_m")
    )
    first = (
        f"In short: the model reads {accuracy:.0f}% of the digits, but the same digit is not read equally well on both "
        f"papers: the two differ by {gap:.0f} percentage points on average over the digits (DEO_A) and by {worst:.0f} "
        "for the worst digit (DEO_M)."
    )
    if said["test_after"] is None:
        tried = len(said["candidates"]) > 1
        return f"{first}\n{'Nothing that was tried could be shown to be better' if tried else 'Nothing was tried'}."
    new_accuracy, new_gap = (100 * said["test_after"]["metrics"][name]["value"] for name in ("accuracy", "deo_a"))
    if not said["confirmed"]:
        verdict = "this time the test set does not show it to be fairer"
    elif new_accuracy >= accuracy:
        verdict = "it is fairer and no less accurate"
    else:
        verdict = "it is fairer, at a price in accuracy"
    return f"{first}\nThe chosen one has a gap of {new_gap:.0f} points at {new_accuracy:.0f}% accuracy: {verdict}."
