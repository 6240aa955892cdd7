from __future__ import annotations

import re

import pytest

from fairdistill.training.console import RunConsole, percent
from fairdistill.training.estimate import Estimate, format_seconds

ROW = {
    "step": 5,
    "loss": {"ce": 2.25, "mmd": 0.0125},
    "evaluation": {"split": "validation", "accuracy": 0.5, "deo_a": None, "deo_m": 0.12345},
    "samples_per_second": 1234.5,
}


def strip_colours(text):
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def use(console):
    with console:
        console.say("a [bold] word")
        console.start(step=0, steps=10)
        console.step(5)
        console.evaluated(ROW)


@pytest.mark.parametrize("terminal", [False, True])
def test_lines_go_to_standard_error_as_they_are_written(capsys, monkeypatch, terminal):
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    use(RunConsole(quiet=False, title="[mfd] on x"))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "[mfd] on x: a [bold] word\n" in shown.err
    assert (
        "step 5/10  ce 2.25  mmd 0.0125  |  validation: accuracy 50.00%  DEO_A undefined  DEO_M 12.35%"
        in shown.err
    )
    assert bool(re.search(r"━ step 5/10  .* left", strip_colours(shown.err))) == terminal


def test_quiet_shows_nothing(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    use(RunConsole(quiet=True, title="run"))
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(0.0, "0.00%"), (0.12345, "12.35%"), (1, "100.00%"), (None, "undefined"), (float("nan"), "undefined")],
)
def test_a_fraction_is_shown_in_percent_and_what_is_undefined_by_name(fraction, text):
    assert percent(fraction) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (42.4, "42 s"), (89, "89 s"), (120, "2 min"), (3600, "60 min"), (12_000, "3 h 20 min")],
)
def test_a_duration_is_shown_in_the_unit_that_people_use(seconds, text):
    assert format_seconds(seconds) == text


def test_an_estimate_names_time_memory_and_disk():
    assert (
        str(Estimate(seconds=42, memory=2**29, disk=3 * 2**20))
        == "about 42 s, 0.5 GiB of memory, 3 MiB of disk"
    )
