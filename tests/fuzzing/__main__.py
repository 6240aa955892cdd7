"""The fuzzers on the command line."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.fuzzing.kinds import KINDS
from tests.fuzzing.runner import run


def main() -> int:
    """Run the fuzzers; print one line for each, and return 1 if an input was not handled."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"fuzzers to run, of {', '.join(KINDS)}; default: all")
    parser.add_argument("--inputs", type=int, help="inputs of each kind; default: those of a whole run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for inputs that were not handled")
    given = parser.parse_args()
    print("| input | inputs | read | refused | unhandled | seconds | memory gained |", flush=True)
    print("|---|---:|---:|---:|---:|---:|---:|", flush=True)
    failed = 0

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    for name in given.kinds or KINDS:
        kind = KINDS[name]()
        inputs = given.inputs or kind.inputs
        found = run(kind, inputs=inputs, seed=given.seed, keep=given.keep, say=say)
        failed += len(found.failures)
        read = found.tried - found.refused - len(found.failures)
        print(
            f"| {name} | {found.tried:,} | {read:,} | {found.refused:,} | {len(found.failures)} | "
            f"{found.seconds:,.0f} | {found.grown / 2**20:,.0f} MiB |",
            flush=True,
        )
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
