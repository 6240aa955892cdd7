"""A full disk: a small one in memory if this process may mount it, and a limit on the size of files otherwise."""

from __future__ import annotations

import os
import random
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.kills import Stage, staged
from tests.faults.process import Command, Ended, limited_files
from tests.faults.row import Row, Say
from tests.faults.scenarios import SCENARIOS
from tests.faults.whole import differences, left_over, problems, said

_LEAST = 16 << 10  # bytes; what a command prints goes to a file, too
_ROOM = "size=400m"
_KNOWN = (2, 74)  # 2: what a command will write is added up before it starts


def try_full_disk(name: str, *, tries: int, seed: int, place: Path, say: Say) -> Row:
    """Run a command with too little room, then with enough."""
    row, started = Row(f"disk full: {name}"), time.monotonic()
    draw = random.Random(f"{seed}/disk/{name}")
    with staged(SCENARIOS[name], place) as stage:
        sizes = [(stage.folder / each).stat().st_size for each in stage.expected]
        before = [each.stat().st_size for each in stage.prepared.rglob("*") if each.is_file()]
        for number in range(tries):
            if number % 2 == 0 and may_mount(stage.folder):
                room = draw.randrange(_LEAST, max(_LEAST + 1, sum(sizes) - sum(before)))
                broken, what = _on_a_small_disk(stage, room), f"a disk with {room:,} bytes left"
            else:
                limit = draw.randrange(_LEAST, max(_LEAST + 1, max(sizes)))
                broken, what = _with_a_limit(stage, limit), f"files of at most {limit:,} bytes"
            row.record(f"{name}, {what}", broken, say)
    row.seconds = time.monotonic() - started
    return row


def _with_a_limit(stage: Stage, size: int) -> list[str]:
    stage.reset()
    arguments, own = stage.scenario.command(stage.folder) or [], stage.scenario.setup
    limit = limited_files(size)

    def setup() -> None:
        limit()
        if own is not None:
            own()

    return [*_refused(Command(arguments, stage.folder, setup=setup).run()), *_then(stage)]


def _on_a_small_disk(stage: Stage, room: int) -> list[str]:
    with _mounted(stage.folder, _ROOM):
        stage.fill()
        found = os.statvfs(stage.folder)
        used = (found.f_blocks - found.f_bfree) * found.f_frsize
        _resize(stage.folder, f"size={used + room}")
        command = stage.next()
        assert command is not None
        broken = _refused(command.run())
        _resize(stage.folder, _ROOM)
        return [*broken, *_then(stage)]


def _refused(ended: Ended) -> list[str]:
    """Return what is wrong with how a command ended that had too little room."""
    if ended.code == 0:
        return []
    broken = [] if ended.code in _KNOWN else [f"it ended with {ended.code}: {ended.stderr[-300:]!r}"]
    last = ended.stderr.strip().splitlines()[-1:] or [""]
    if "Traceback" in ended.stderr:
        broken.append(f"a traceback: {ended.stderr[ended.stderr.index('Traceback') :][:1000]!r}")
    if not re.match(r"fairdistill: error: .+", last[0]):
        broken.append(f"its last line is {last[0][:200]!r}")
    return broken


def _then(stage: Stage) -> list[str]:
    broken = problems(stage.folder)
    command = stage.next()
    if command is not None:
        ended = command.run()
        if ended.code != 0:
            broken.append(f"with room it ended with {ended.code}: {ended.stderr[-300:]!r}")
    found = said(stage.folder)
    return [
        *broken,
        *problems(stage.folder),
        *left_over(stage.folder, stage.expected),
        *differences(found, stage.expected),
    ]


def may_mount(folder: Path) -> bool:
    """Return whether this process may mount a file system."""
    try:
        with _mounted(folder, "size=64k"):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


def _resize(folder: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{size}", str(folder)], check=True)


@contextmanager
def _mounted(folder: Path, size: str) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], check=True, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
