"""``kill -9`` at random moments: nothing is half-written, and the same command comes to the same end."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.process import Command, Ended, Kill, processes_in
from tests.faults.row import Row, Say
from tests.faults.scenarios import SCENARIOS, Scenario, run_here
from tests.faults.whole import differences, left_over, problems, said

_MOST_IN_A_ROW = 3
_ORPHAN_SECONDS = 90.0  # more than a worker has to save its run


@dataclass
class Stage:
    """A scenario in a folder that is always the same, so that paths in its files are, too.

    Attributes:
        scenario: what runs.
        folder: where.
        prepared: what it starts from.
        expected: what an uninterrupted run leaves.
        whole: how that run ended.
    """

    scenario: Scenario
    folder: Path
    prepared: Path
    expected: dict[str, Any]
    whole: Ended

    def reset(self) -> None:
        """Put the folder back to the start."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.fill()

    def fill(self) -> None:
        """Copy what it starts from into the folder."""
        shutil.copytree(self.prepared, self.folder, dirs_exist_ok=True)

    def next(self) -> Command | None:
        """Return the command to run now, None if all is done."""
        arguments = self.scenario.command(self.folder)
        return None if arguments is None else Command(arguments, self.folder, setup=self.scenario.setup)


@contextmanager
def staged(scenario: Scenario, place: Path) -> Iterator[Stage]:
    """Prepare a scenario and run it once without a fault."""
    folder, prepared = place / "work", place / "prepared"
    for each in (folder, prepared):
        shutil.rmtree(each, ignore_errors=True)
    prepared.mkdir(parents=True)
    scenario.prepare(prepared)
    stage = Stage(scenario, folder, prepared, {}, Ended(0, 0.0, 0, ""))
    try:
        stage.reset()
        if scenario.in_here:  # so that the forked processes have all modules already
            run_here(scenario.command(folder) or [], folder, quiet=True)
            stage.reset()
        command = stage.next()
        assert command is not None
        stage.whole = command.run()
        assert stage.whole.code == 0, stage.whole.stderr
        stage.expected = said(folder)
        assert not problems(folder), problems(folder)
        yield stage
    finally:
        for each in (folder, prepared):
            shutil.rmtree(each, ignore_errors=True)


def random_kill(draw: random.Random, whole: Ended) -> Kill:
    """Return a moment of a whole run: half of them at a change to its files, the others at any time."""
    if draw.random() < 0.5 and whole.events:
        return Kill(event=draw.randrange(1, whole.events + 1))
    return Kill(seconds=draw.uniform(0, whole.seconds))


def try_kills(name: str, *, tries: int, seed: int, place: Path, say: Say) -> Row:
    """Kill a command so many times; up to three times in a row before it may come to its end."""
    scenario, row, started = SCENARIOS[name], Row(f"kill -9: {name}"), time.monotonic()
    draw = random.Random(f"{seed}/{name}")
    with staged(scenario, place) as stage:
        say(f"{name}: {stage.whole.seconds:.1f} s and {stage.whole.events} changes to files without a fault")
        while row.tries < tries:
            stage.reset()
            moments = [random_kill(draw, stage.whole) for _ in range(draw.choice((1, 1, 1, 2, _MOST_IN_A_ROW)))]
            moments = moments[: tries - row.tries]
            broken = _one_try(stage, moments)
            row.record(f"{name}, killed {' and '.join(map(str, moments))}", broken, say, tries=len(moments))
    row.seconds = time.monotonic() - started
    return row


def _one_try(stage: Stage, moments: list[Kill]) -> list[str]:
    """Kill the command at each moment in turn, let it come to its end, and return what was broken."""
    broken = []
    for moment in moments:
        command = stage.next()
        if command is None:
            break
        ended = command.run(moment)
        if not ended.killed and ended.code != 0:
            broken.append(f"it ended with {ended.code} by itself: {ended.stderr[-300:]!r}")
        broken += problems(stage.folder)
    command = stage.next()
    if command is not None:
        ended = command.run()
        if ended.code != 0:
            broken.append(f"then it ended with {ended.code}: {ended.stderr[-300:]!r}")
    broken += orphans(stage.folder)
    broken += problems(stage.folder)
    return [*broken, *left_over(stage.folder, stage.expected), *differences(said(stage.folder), stage.expected)]


def orphans(folder: Path) -> list[str]:
    """Wait for workers whose parent was killed; return those that do not end, after ending them."""
    end = time.monotonic() + _ORPHAN_SECONDS
    while (left := processes_in(folder)) and time.monotonic() < end:
        time.sleep(0.1)
    for number in left:
        os.kill(number, signal.SIGKILL)
    return [f"process {number} outlives its parent" for number in left]
