"""All tests in two processes side by side, each with half of the processors: ``python -m tests.halves [OPTION ...]``.

The folders in the first half take as long as all others together, with the slow tests and without them. What one half
prints follows what the other did.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence

FIRST = (
    "tests/training", "tests/tuning", "tests/embedding", "tests/metrics", "tests/models", "tests/predicting",
    "tests/exporting", "tests/predictions", "tests/tracking",
)  # fmt: skip
FIRST_OF_FAST = ("tests/training", "tests/tuning", "tests/metrics", "tests/losses", "tests/posthoc", "tests/models")


def commands(options: Sequence[str]) -> list[list[str]]:
    """Return the two commands; every test is in one of them."""
    pytest = [sys.executable, "-m", "pytest", *options]
    first = FIRST_OF_FAST if "not slow" in options else FIRST
    others = [*(f"--ignore={folder}" for folder in first), "-p", "no:cacheprovider"]  # one of them writes the cache
    return [[*pytest, *first], [*pytest, *others]]


def main(options: Sequence[str]) -> int:
    """Run both; return 0 if all is well, else the exit code of the first half that failed."""
    threads = os.environ.get("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // 2)))
    environment = {**os.environ, "OMP_NUM_THREADS": threads}
    first, second = commands(options)
    with tempfile.TemporaryFile() as shown:
        aside = subprocess.Popen(first, env=environment, stdout=shown, stderr=subprocess.STDOUT)
        try:
            code = subprocess.run(second, env=environment, check=False).returncode
            own = aside.wait()
        except KeyboardInterrupt:  # both have heard it too
            aside.wait()
            return 130
        shown.seek(0)
        print(f"\nThe first half: {' '.join(first[3 + len(options) :])}", flush=True)
        sys.stdout.buffer.write(shown.read())
    return own or code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
