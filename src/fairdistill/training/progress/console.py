"""The progress of a run: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column

from fairdistill.escaping import one_line, shown
from fairdistill.text.durations import format_seconds
from fairdistill.text.numbers import percentage

_PLAIN_LINES_EVERY = 5.0  # seconds, later a tenth of the time so far: half an hour has 50 lines; the log has every row


class RunConsole:
    """Shows the messages and progress of one run on standard error.

    Args:
        quiet: show nothing.
        title: prefix of every line, naming the run.
    """

    def __init__(self, *, quiet: bool, title: str) -> None:
        self._console = Console(stderr=True, quiet=quiet, highlight=False, soft_wrap=True)
        self._title = one_line(title)
        self._progress: Progress | None = None
        self._started = time.monotonic()
        self._first = self._steps = 0
        self._news = ""
        self._printed = 0.0

    def say(self, text: str) -> None:
        """Print one line verbatim."""
        self._console.print(f"{self._title}: {shown(text)}", markup=False)

    def start(self, *, step: int, steps: int) -> None:
        """Start showing progress."""
        self._first, self._steps = step, steps
        self._started = time.monotonic()
        if self._console.is_terminal and not self._console.quiet:
            self._progress = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=16),
                TextColumn("{task.fields[text]}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")),
                console=self._console,
                transient=True,
            )
            self._task = self._progress.add_task(self._title, total=steps, completed=step, text="")
            self._progress.start()

    def step(self, step: int) -> None:
        """Show that ``step`` steps are done."""
        if self._progress is not None:
            text = f"step {step}/{self._steps}  {self._left(step)}  {self._news}"
            self._progress.update(self._task, completed=step, text=text)

    def evaluated(self, row: Mapping[str, Any]) -> None:
        """Show a row of the log in the live line, or as a line of its own unless one was printed a moment ago."""
        loss = "  ".join(f"{name} {value:.4g}" for name, value in row["loss"].items())
        judged, step = row["evaluation"], row["step"]
        self._news = f"{loss}  |  {judged['split']}: {scores_of(judged)}"
        now = time.monotonic()
        pause = max(_PLAIN_LINES_EVERY, (now - self._started) / 10)
        if self._progress is None and (now - self._printed >= pause or step == self._steps):
            self._printed = now
            speed = f"{row['samples_per_second']:,.0f} images/s"
            self.say(f"step {step}/{self._steps}  {self._news}  |  {speed}  {self._left(step)}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def _left(self, step: int) -> str:
        done = step - self._first
        if done <= 0:
            return ""
        left = (time.monotonic() - self._started) / done * (self._steps - step)
        return f"{format_seconds(left)} left" if step < self._steps else "done"


def scores_of(judged: Mapping[str, Any]) -> str:
    """Return accuracy, DEO_A and DEO_M of an evaluation in percent."""
    scores = (("accuracy", judged["accuracy"]), ("DEO_A", judged["deo_a"]), ("DEO_M", judged["deo_m"]))
    return "  ".join(f"{name} {percentage(value, 2)}" for name, value in scores)
