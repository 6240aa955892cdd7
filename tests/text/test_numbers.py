from __future__ import annotations

import pytest

from fairdistill.text.numbers import percentage


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(0.0, "0.00%"), (0.12345, "12.35%"), (1, "100.00%"), (None, "undefined"), (float("nan"), "undefined")],
)
def test_a_fraction_is_shown_in_percent_and_what_is_undefined_by_name(fraction, text):
    assert percentage(fraction, 2) == text
