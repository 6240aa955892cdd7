"""The kinds of faults by name, and the command line."""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from tests.faults.full_disk import try_full_disk
from tests.faults.hostile import TRAPS, try_hostile
from tests.faults.kills import try_kills
from tests.faults.pairs import try_pair
from tests.faults.row import Row, table
from tests.faults.scenarios import SCENARIOS
from tests.faults.signals import try_signals

QUICK = 12
"""With ``--quick``, one in so many is tried."""

STOPPED = {"train": 9, "tune": 9, "fix, last layer": 9, "bench": 6}
FILLED = {"train": 8, "train with a teacher cache": 6, "train with an image cache": 6, "tune": 6, "fix, last layer": 6,
          "report": 6, "audit": 6}  # fmt: skip
PAIRED = {"train": 4, "bench": 3, "tune": 4, "fix, last layer": 4, "report": 8, "audit": 8}

Tries = partial[Row]


def kinds() -> dict[str, Tries]:
    """Return what tries each kind of fault."""
    found: dict[str, Tries] = {
        f"kill {name}": partial(try_kills, name, tries=each.kills) for name, each in SCENARIOS.items()
    }
    found |= {f"signals {name}": partial(try_signals, name, tries=each) for name, each in STOPPED.items()}
    found |= {f"disk {name}": partial(try_full_disk, name, tries=each) for name, each in FILLED.items()}
    found |= {f"pair {name}": partial(try_pair, name, tries=each) for name, each in PAIRED.items()}
    return {**found, "hostile": partial(try_hostile, tries=len(TRAPS))}


def main(arguments: Sequence[str]) -> int:
    """Try the kinds that were asked for; print a table, and return 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="Faults on purpose; see the package.")
    parser.add_argument("--only", help=f"comma-separated beginnings of kinds, of: {', '.join(kinds())}; default: all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help=f"one in {QUICK} tries")
    parser.add_argument("--rows", type=Path, help="file of finished rows (JSON): those in it are not tried again")
    given = parser.parse_args(arguments)
    wanted = None if given.only is None else tuple(given.only.split(","))
    chosen = {name: tries for name, tries in kinds().items() if wanted is None or name.startswith(wanted)}
    rows = {} if given.rows is None or not given.rows.exists() else _kept(given.rows)
    with tempfile.TemporaryDirectory(prefix="faults-") as place:
        for name, tries in chosen.items():
            if name in rows:
                continue
            number = tries.keywords["tries"]
            number = math.ceil(number / QUICK) if given.quick else number
            rows[name] = tries(tries=number, seed=given.seed, place=Path(place).resolve() / "stage", say=_say)
            _say(table([rows[name]]).splitlines()[2])
            if given.rows is not None:
                given.rows.write_text(json.dumps({key: asdict(row) for key, row in rows.items()}, indent=1) + "\n")
    shown = [rows[name] for name in chosen]
    print(table(shown), end="")
    for row in shown:
        for failure in row.failures:
            print(f"- {failure}")
    return int(any(row.failures for row in shown))


def _kept(path: Path) -> dict[str, Row]:
    return {name: Row(**row) for name, row in json.loads(path.read_text()).items()}


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
