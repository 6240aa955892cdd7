"""SIGTERM, SIGHUP and Ctrl-C at random moments: what was done is saved, and the same command comes to the same end."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

from tests.faults.kills import orphans, staged
from tests.faults.row import Row, Say
from tests.faults.scenarios import SCENARIOS
from tests.faults.whole import differences, left_over, problems, said

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


def try_signals(name: str, *, tries: int, seed: int, place: Path, say: Say) -> Row:
    """Stop a command with each signal in turn, at random moments."""
    row, started = Row(f"SIGTERM, SIGHUP, Ctrl-C: {name}"), time.monotonic()
    draw = random.Random(f"{seed}/signals/{name}")
    with staged(SCENARIOS[name], place) as stage:
        for number in range(tries):
            stage.reset()
            sent, after = SIGNALS[number % len(SIGNALS)], draw.uniform(0.1, stage.whole.seconds)
            command = stage.next()
            assert command is not None
            running = command.start()
            time.sleep(after)
            os.kill(running.child, sent)
            ended = running.wait()
            allowed = {128 + sent, 0}  # fix recommends the best so far, and what has come to its end has come to it
            broken = [] if ended.code in allowed else [f"it ended with {ended.code}: {ended.stderr[-300:]!r}"]
            if "Traceback" in ended.stderr:
                broken.append(f"a traceback: {ended.stderr[ended.stderr.index('Traceback') :][:1000]!r}")
            broken += problems(stage.folder)
            again = stage.next()
            if again is not None and (ended := again.run()).code != 0:
                broken.append(f"then it ended with {ended.code}: {ended.stderr[-300:]!r}")
            broken += [*orphans(stage.folder), *problems(stage.folder), *left_over(stage.folder, stage.expected)]
            broken += differences(said(stage.folder), stage.expected)
            row.record(f"{name}, {sent.name} after {after:.2f} s", broken, say)
    row.seconds = time.monotonic() - started
    return row
