"""The text that the demo prints besides the recommendation."""

from __future__ import annotations

from fairdistill.fixing.result import FixResult
from fairdistill.text.numbers import percent

INTRODUCTION = """\
Handwritten digits on grey or coloured paper. In the training set, 95% of the digits 0-4 are on
grey paper and 95% of the digits 5-9 are on coloured paper; in the test set, every digit appears
on both. A fair classifier looks at the digit, not at the paper.
"""


def in_short(result: FixResult) -> str:
    """Return what the numbers of the test set mean, in two plain sentences."""
    before = result.test_before
    first = (
        f"In short: the model recognizes {percent(before.accuracy.value, 0)}% of the digits, but not equally well on "
        f"both papers: for the same digit, the accuracy differs by {percent(before.deo_a.value, 0)} percentage points "
        f"on average (DEO_A), and by {percent(before.deo_m.value, 0)} points for the worst digit (DEO_M)."
    )
    if result.test_after is None:
        searched = "No candidate was demonstrably better." if len(result.candidates) > 1 else "Nothing was trained."
        return f"{first}\n{searched}"
    accuracy, gap = result.test_after.accuracy.value, result.test_after.deo_a.value
    if not result.confirmed:
        verdict = "but the test set does not confirm that it is fairer"
    elif accuracy >= before.accuracy.value:
        verdict = "so it is fairer and no less accurate"
    else:
        verdict = "so it is fairer, but less accurate"
    return (
        f"{first}\nThe chosen model has a gap of {percent(gap, 0)} points at {percent(accuracy, 0)}% accuracy, "
        f"{verdict}."
    )


def farewell(result: FixResult, out: str) -> str:
    """Return where the results are, and how to continue with your own model."""
    page = f"; open {out}/report.html for the report" if result.model else ""
    return (
        f"Everything is in {out}/{page}.\n"
        "With your own model and images: fairdistill fix MODEL --data TABLE.csv --image COLUMN --label COLUMN "
        "--group COLUMN"
    )
