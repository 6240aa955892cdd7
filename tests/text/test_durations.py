from __future__ import annotations

import pytest

from fairdistill.errors import UsageError
from fairdistill.text.durations import format_seconds, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("30 min", 1800), ("1.5h", 5400), (" 2H ", 7200)]
)
def test_a_number_and_its_unit(text, seconds):
    assert parse_duration(text, "budget") == seconds


@pytest.mark.parametrize("text", ["30", "m", "", "-5m", "0s", "1d", "1h30m", "nan s", "1e3s"])
def test_what_is_no_time_is_named(text):
    with pytest.raises(UsageError, match="expected --budget to be a time, for example 90s, 30m or 2h, but got"):
        parse_duration(text, "budget")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (42.4, "42 s"), (89, "89 s"), (120, "2 min"), (3600, "60 min"), (12_000, "3 h 20 min")],
)
def test_a_duration_is_shown_in_the_unit_that_people_use(seconds, text):
    assert format_seconds(seconds) == text
