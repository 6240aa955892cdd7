from __future__ import annotations

import io
from contextlib import contextmanager, redirect_stderr

import pytest

from fairdistill.text import progress as module
from fairdistill.text.progress import progress, working


class Clock:
    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(module, "time", found)
    return found


class Terminal(io.StringIO):
    def isatty(self):
        return True


@contextmanager
def on_a_terminal():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TERM", "xterm")
        with redirect_stderr(Terminal()) as shown:
            yield shown


def work(clock, *, items, seconds):
    with progress("decoding", items) as report:
        for _ in range(items):
            clock.now += seconds / items
            report(1)


def test_short_work_shows_nothing(clock):
    with on_a_terminal() as terminal:
        work(clock, items=1_000, seconds=1.9)
    assert terminal.getvalue() == ""


def test_a_terminal_gets_a_bar_however_few_the_items(clock):
    with on_a_terminal() as terminal:
        work(clock, items=20, seconds=40)
    assert "decoding" in terminal.getvalue()
    assert "/20" in terminal.getvalue()
    assert not module._taken.locked()


def test_a_log_gets_few_lines_of_long_work(clock, capsys):
    work(clock, items=3_600, seconds=3_600)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "decoding: 30 of 3,600, 60 min left"
    assert 10 <= len(lines) <= 20


def test_a_log_gets_no_line_of_half_a_minute(clock, capsys):
    work(clock, items=1_000, seconds=29)
    assert capsys.readouterr().err == ""


def test_a_bar_within_another_is_left_out(clock):
    with on_a_terminal() as terminal, progress("outer", 4) as report:
        clock.now += 3
        report(1)
        work(clock, items=10, seconds=30)
    assert "outer" in terminal.getvalue()
    assert "decoding" not in terminal.getvalue()


def test_a_bar_ends_with_an_error(clock):
    def fail():
        with progress("decoding", 4) as report:
            clock.now += 3
            report(1)
            raise RuntimeError("broken")

    with on_a_terminal(), pytest.raises(RuntimeError, match="broken"):
        fail()
    assert not module._taken.locked()


def test_work_without_a_known_end_shows_the_time(monkeypatch):
    monkeypatch.setattr(module, "_UNSEEN", 0.0)
    begun = module.threading.Event()
    clock = module._clock

    def shown(what):
        found = clock(what)
        begun.set()
        return found

    monkeypatch.setattr(module, "_clock", shown)
    with on_a_terminal() as terminal, working("resampling"):
        assert begun.wait(20)
    assert "resampling" in terminal.getvalue()
    assert not module._taken.locked()


def test_in_a_log_it_is_a_line_now_and_then(monkeypatch, capsys):
    monkeypatch.setattr(module, "_FIRST_LINE", 0.01)
    told = module.threading.Event()
    tell = module.tell
    monkeypatch.setattr(module, "tell", lambda text: (tell(text), told.set()))
    with working("resampling"):
        assert told.wait(20)
    assert capsys.readouterr().err.startswith("resampling: 1 s so far\n")


def test_quick_work_without_a_known_end_shows_nothing(capsys):
    with working("resampling"):
        pass
    assert capsys.readouterr().err == ""
