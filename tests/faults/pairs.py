"""Two processes at once in one place."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from pathlib import Path

from tests.faults.kills import orphans, staged
from tests.faults.process import Command
from tests.faults.row import Row, Say
from tests.faults.scenarios import SCENARIOS
from tests.faults.whole import differences, left_over, problems, said


@dataclass(frozen=True)
class Pair:
    """Two processes of one command.

    Attributes:
        scenario: its name.
        refused: what the second one says if only one of them may work; None if both come to their end.
        same: whether the files say the same as after one process; two of ``tune`` try other points.
    """

    scenario: str
    refused: str | None = None
    same: bool = True


PAIRS = {
    each.scenario: each
    for each in (
        Pair("bench"), Pair("tune", same=False), Pair("audit"), Pair("report"),
        Pair("fix, last layer", "another fix is working"), Pair("train", "run"),
    )
}  # fmt: skip


def try_pair(name: str, *, tries: int, seed: int, place: Path, say: Say) -> Row:
    """Start a command twice, the second time a moment later."""
    pair, row, started = PAIRS[name], Row(f"two at once: {name}"), time.monotonic()
    draw = random.Random(f"{seed}/pairs/{name}")
    with staged(SCENARIOS[name], place) as stage:
        for _ in range(tries):
            stage.reset()
            arguments = stage.scenario.command(stage.folder) or []
            later = draw.choice((0.0, draw.uniform(0, 0.5), draw.uniform(0, stage.whole.seconds)))
            commands = [Command(arguments, stage.folder, setup=stage.scenario.setup) for _ in range(2)]
            first = commands[0].start()
            time.sleep(later)
            second = commands[1].start()
            codes = [(ended := each.wait()).code for each in (first, second)]
            both = codes == [0, 0]
            one = sorted(codes) == [0, 2] and pair.refused is not None
            broken = [] if both or one else [f"they ended with {codes}: {ended.stderr[-300:]!r}"]
            broken += [*orphans(stage.folder), *problems(stage.folder), *left_over(stage.folder, stage.expected)]
            if pair.same:
                broken += differences(said(stage.folder), stage.expected)
            row.record(f"{name}, {later:.2f} s apart", broken, say)
    row.seconds = time.monotonic() - started
    return row
