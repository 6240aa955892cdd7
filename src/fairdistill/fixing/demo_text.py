"""The text that the demo prints besides the recommendation."""

from __future__ import annotations

from fairdistill.fixing.result import FixResult
from fairdistill.text.numbers import percent

INTRODUCTION = """\
Handwritten digits on grey or coloured paper. In the training set, 95% of the digits 0-4 are on
grey paper and 95% of the digits 5-9 are on coloured paper; in the test set, every digit appears
on both. A fair classifier looks at the digit, not at the paper. The demo trains an ordinary
classifier, and then looks for a fairer one: with another last layer, and with more training.
"""


def in_short(result: FixResult) -> str:
    """Return what the numbers of the test set mean, in two plain sentences."""
    before = result.test_before
    first = (
        f"In short: the model recognizes {percent(before.accuracy.value, 0)}% of the digits, but the same digit is "
        f"recognized {percent(before.deo_a.value, 0)} percentage points more often on one paper than on the other."
    )
    if result.verdict != "use" or result.test_after is None:
        return f"{first}\nNo other model was proven to be better."
    after = result.test_after
    return (
        f"{first}\nWith the recommended model it is {percent(after.deo_a.value, 0)} points, and "
        f"{percent(after.accuracy.value, 0)}% of the digits are recognized."
    )


def farewell(out: str) -> str:
    """Return where the results are, and how to continue with your own model."""
    return (
        f"Open {out}/report.html for all of this with pictures.\n"
        "With your own model and images: fairdistill fix MODEL --data TABLE.csv --image COLUMN --label COLUMN "
        "--group COLUMN"
    )
