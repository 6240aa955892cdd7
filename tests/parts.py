"""All tests in processes side by side, each with half of the processors: ``python -m tests.parts [OPTION ...]``.

The folders of ``FIRST`` take as long as the last part, which is all others, with the slow tests and without them. The
slow tests of ``WAITING`` are a part of their own, since most of their time goes by in waiting for machines that start
and are lost. What the last part prints is followed by what the others did.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack

FIRST = (
    "tests/training", "tests/tuning", "tests/embedding", "tests/metrics", "tests/models", "tests/predicting",
    "tests/exporting", "tests/predictions", "tests/tracking",
)  # fmt: skip
FIRST_OF_FAST = ("tests/training", "tests/tuning", "tests/metrics", "tests/losses", "tests/posthoc", "tests/models")
WAITING = ("tests/benching/ray",)


def commands(options: Sequence[str]) -> list[list[str]]:
    """Return the commands; every test is in one of them."""
    pytest = [sys.executable, "-m", "pytest", *options]
    named = [FIRST_OF_FAST] if "not slow" in options else [FIRST, WAITING]
    others = [f"--ignore={folder}" for folders in named for folder in folders]
    first, *rest = [*named, others]
    return [[*pytest, *first], *([*pytest, "-p", "no:cacheprovider", *part] for part in rest)]  # one writes the cache


def main(options: Sequence[str]) -> int:
    """Run all; return 0 if all is well, else the exit code of the first part that failed."""
    threads = os.environ.get("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // 2)))
    environment = {**os.environ, "OMP_NUM_THREADS": threads}
    *aside, last = commands(options)
    with ExitStack() as files:
        shown = [files.enter_context(tempfile.TemporaryFile()) for _ in aside]
        running = [
            subprocess.Popen(command, env=environment, stdout=file, stderr=subprocess.STDOUT)
            for command, file in zip(aside, shown, strict=True)
        ]
        try:
            of_last = subprocess.run(last, env=environment, check=False).returncode
            codes = [*(process.wait() for process in running), of_last]
        except KeyboardInterrupt:  # all have heard it too
            for process in running:
                process.wait()
            return 130
        for command, file in zip(aside, shown, strict=True):
            print(f"\n{' '.join(command[1:])}", flush=True)
            file.seek(0)
            sys.stdout.buffer.write(file.read())
            sys.stdout.buffer.flush()
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
