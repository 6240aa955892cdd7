"""What is shown on standard error while something takes long: a bar or a clock on a terminal, a few lines in a log."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fairdistill.text.durations import format_seconds
from fairdistill.text.telling import tell

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

_UNSEEN = 2.0  # seconds without a bar: most work is done by then
_FIRST_LINE = 30.0  # seconds until the first line in a log; each later one comes after a quarter of the time so far
_taken = threading.Lock()  # of the one bar on the terminal


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Give a function to call with the number of items done since its last call.

    What takes less than 2 seconds shows nothing. After that there is a bar on a terminal; in a log there are lines,
    after 30 seconds and then ever more rarely.

    Args:
        what: is done, for example ``decoding``.
        total: number of items.

    Example:
        >>> with progress("counting", 3) as report:
        ...     for _ in range(3):
        ...         report(1)
    """
    shown = _OfItems(what, total)
    try:
        yield shown.add
    finally:
        shown.end()


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show that something goes on whose end is not known: as :func:`progress` does, with the time so far.

    Example:
        >>> with working("resampling"):
        ...     sum(range(10))
        45
    """
    done = threading.Event()
    thread = threading.Thread(target=_watch, args=(what, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


class _OfItems:
    def __init__(self, what: str, total: int) -> None:
        self._what, self._total, self._done = what, total, 0
        self._started = time.monotonic()
        self._next = _FIRST_LINE
        self._bar: Progress | None = None
        self._terminal = sys.stderr.isatty()

    def add(self, done: int) -> None:
        self._done += done
        elapsed = time.monotonic() - self._started
        if self._bar is not None:
            self._bar.advance(self._bar.task_ids[0], done)
        elif self._terminal:
            if elapsed >= _UNSEEN and self._done < self._total and _taken.acquire(blocking=False):
                self._bar = _bar(self._what, self._total, self._done)
        elif elapsed >= self._next and self._done < self._total:
            self._next = 1.25 * max(elapsed, 4 * _FIRST_LINE)
            left = elapsed / max(1, self._done) * (self._total - self._done)
            tell(f"{self._what}: {self._done:,} of {self._total:,}, {format_seconds(left)} left")

    def end(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            _taken.release()


def _watch(what: str, done: threading.Event) -> None:
    if sys.stderr.isatty():
        if not done.wait(_UNSEEN) and _taken.acquire(blocking=False):
            bar = _clock(what)
            done.wait()
            bar.stop()
            _taken.release()
        return
    wait, started = _FIRST_LINE, time.monotonic()
    while not done.wait(wait):
        elapsed = time.monotonic() - started
        tell(f"{what}: {format_seconds(elapsed)} so far")
        wait = max(elapsed, _FIRST_LINE)  # no end is known, so each line comes after twice the time


def _bar(what: str, total: int, done: int) -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

    bar = _started(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar.add_task(what, total=total, completed=done)
    return bar


def _clock(what: str) -> Progress:
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    bar = _started(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    bar.add_task(what, total=None)
    bar.tasks[0].start_time = bar.get_time() - _UNSEEN
    return bar


def _started(*columns: ProgressColumn) -> Progress:
    from rich.console import Console
    from rich.progress import Progress

    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    bar.start()
    return bar
