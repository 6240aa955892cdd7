from __future__ import annotations

import re
from types import SimpleNamespace

from fairdistill.training.machine.cost import Estimate
from fairdistill.training.progress import console
from fairdistill.training.progress.console import RunConsole

ROW = {
    "step": 5,
    "loss": {"ce": 2.25, "mfd": 0.0125},
    "evaluation": {"split": "validation", "accuracy": 0.5, "deo_a": None, "deo_m": 0.12345},
    "samples_per_second": 1234.5,
}


NEWS = "ce 2.25  mfd 0.0125  |  validation: accuracy 50.00%  DEO_A undefined  DEO_M 12.35%"


def use(shown):
    with shown:
        shown.say("a [bold] word")
        shown.start(step=0, steps=10)
        shown.evaluated(ROW)
        shown.step(6)


def strip_colours(text):
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def test_plain_lines_go_to_standard_error_as_they_are_written(capsys):
    use(RunConsole(quiet=False, title="[mfd] on x"))
    shown = capsys.readouterr()
    assert shown.out == ""
    said, row = shown.err.splitlines()
    assert said == "[mfd] on x: a [bold] word"
    assert re.fullmatch(rf"\[mfd\] on x: step 5/10  {re.escape(NEWS)}  \|  1,234 images/s  .* left", row)


def test_a_terminal_shows_a_live_line_in_place_of_rows(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    use(RunConsole(quiet=False, title="[mfd] on x"))
    shown = capsys.readouterr()
    text = strip_colours(shown.err)
    assert shown.out == ""
    assert "[mfd] on x: a [bold] word\n" in text
    assert re.search(rf"\[mfd\] on x ━.* step 6/10  .* left  {re.escape(NEWS)}", text)
    assert "images/s" not in text


def test_plain_rows_come_at_most_every_five_seconds_and_the_last_always(capsys, monkeypatch):
    now = 1000.0
    monkeypatch.setattr(console, "time", SimpleNamespace(monotonic=lambda: now))
    shown = RunConsole(quiet=False, title="run")
    shown.start(step=0, steps=10)
    for step, now in ((1, 1001.0), (2, 1005.9), (3, 1006.0), (4, 1010.0), (10, 1010.1)):  # noqa: B007
        shown.evaluated({**ROW, "step": step})
    assert re.findall(r"step (\d+)/10", capsys.readouterr().err) == ["1", "3", "10"]


def test_a_long_run_prints_few_plain_rows(capsys, monkeypatch):
    now = 1000.0
    monkeypatch.setattr(console, "time", SimpleNamespace(monotonic=lambda: now))
    shown = RunConsole(quiet=False, title="run")
    shown.start(step=0, steps=7200)
    for step in range(1, 7201):
        now = 1000.0 + step
        shown.evaluated({**ROW, "step": step})
    printed = [int(step) for step in re.findall(r"step (\d+)/7200", capsys.readouterr().err)]
    assert 40 <= len(printed) <= 80
    assert printed[-1] == 7200


def test_quiet_shows_nothing(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    use(RunConsole(quiet=True, title="run"))
    assert capsys.readouterr() == ("", "")


def test_an_estimate_names_time_memory_and_disk():
    assert (
        str(Estimate(seconds=42, memory=2**29, disk=3 * 2**20, threads=1))
        == "about 42 s, 0.5 GiB of memory, 3 MiB of disk"
    )
