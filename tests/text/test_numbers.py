from __future__ import annotations

import pytest

from fairdistill.text.numbers import percent, percentage, signed


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(0.0, "0.00%"), (0.12345, "12.35%"), (1, "100.00%"), (None, "undefined"), (float("nan"), "undefined")],
)
def test_a_fraction_is_shown_in_percent_and_what_is_undefined_by_name(fraction, text):
    assert percentage(fraction, 2) == text


def test_zero_has_no_minus():
    assert [percent(-1e-9), percent(-0.0), percent(-0.0004), percent(-0.001)] == ["0.0", "0.0", "0.0", "-0.1"]
    assert [signed(-1e-9), signed(-0.001)] == ["+0.0", "-0.1"]
