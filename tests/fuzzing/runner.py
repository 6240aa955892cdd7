"""Running a fuzzer in a process of its own, so that a crash, a hang or a leak ends one input and is recorded."""

from __future__ import annotations

import json
import mmap
import os
import random
import shutil
import signal
import struct
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from fairdistill.errors import FairdistillError
from tests.fuzzing.kind import Input, Kind

SECONDS = 30.0
"""One input may take as long, counted in seconds of a processor, so that a busy machine makes none too slow."""
HANGING = 600.0
"""After so many seconds without progress, the process is killed: it hangs outside of Python, or waits."""
WARM = 2000
"""Inputs after which memory is compared with that at the end."""
MOST_FAILURES = 40
"""More failures of one kind are the same one again."""
_CONTROL = struct.Struct("<qqqq")  # number of the input, refused so far, memory when warm, most memory


class TooSlow(BaseException):
    """An input took too long; nothing catches it."""


@dataclass
class Outcome:
    """What a fuzzer found.

    Attributes:
        tried: inputs read.
        refused: those of them that ended with one of our errors.
        seconds: of all.
        grown: bytes of memory gained after the first inputs.
        failures: one line each: the number of the input, its form and what happened.
    """

    tried: int = 0
    refused: int = 0
    seconds: float = 0.0
    grown: int = 0
    failures: list[str] = field(default_factory=list)


def attempt(kind: Kind, given: Input) -> str | None:
    """Read one input; return None if that was well, "refused" for one of our errors, else what happened."""
    try:
        kind.read(given)
    except FairdistillError as error:
        text = str(error)
        if not text or len(text.split("\n")) > 10 or "\x1b" in text:
            return f"a message that does not fit a terminal: {text[:200]!r}"
        return "refused"
    except TooSlow:
        return f"took more than {SECONDS:g} s"
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        ours = [step for step in traceback.extract_tb(error.__traceback__) if "/fairdistill/" in step.filename]
        place = ours[-1] if ours else where
        file = place.filename.rpartition("/fairdistill/")[2]
        return f"{type(error).__name__}: {str(error)[:120]!r} ({file}:{place.lineno})"
    return None


def input_of(kind: Kind, seed: int, number: int) -> Input:
    """Return one input of a fuzzer; it depends on nothing else."""
    return kind.make(random.Random(f"{seed}/{type(kind).__name__}/{number}"))


def run(
    kind: Kind, *, inputs: int, seed: int, keep: Path | None = None, say: Callable[[str], None] = lambda _: None
) -> Outcome:
    """Run a fuzzer; inputs that fail are kept in the folder ``keep``."""
    outcome, started = Outcome(), time.monotonic()
    shared = mmap.mmap(-1, _CONTROL.size)
    folder = Path(tempfile.mkdtemp(prefix="fuzzing-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
    try:
        kind.prepare(folder)
        first = 0
        while first < inputs and len(outcome.failures) < MOST_FAILURES:
            record = folder.with_suffix(".failures")
            record.write_text("")
            ended = _in_a_process(kind, range(first, inputs), seed, shared, record, say)
            number, refused, warm, most = _CONTROL.unpack(shared)
            outcome.refused += refused
            outcome.grown = max(outcome.grown, most - warm if warm else 0)
            found = [json.loads(line) for line in record.read_text().splitlines()]
            if ended:
                found.append([number, ended])
            for at, what in found:
                given = input_of(kind, seed, at)
                outcome.failures.append(f"{type(kind).__name__} {at} ({given.form}): {what}")
                say(outcome.failures[-1])
                if keep is not None:
                    keep.mkdir(parents=True, exist_ok=True)
                    (keep / f"{type(kind).__name__}-{at}{given.form.replace('/', '-')}").write_bytes(given.content)
            first = number + 1
        outcome.tried = first
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        folder.with_suffix(".failures").unlink(missing_ok=True)
    outcome.seconds = time.monotonic() - started
    return outcome


def _in_a_process(
    kind: Kind, numbers: range, seed: int, shared: mmap.mmap, record: Path, say: Callable[[str], None]
) -> str | None:
    """Read inputs in a forked process; return how it ended, None if it read them all or had enough failures."""
    shared[:] = _CONTROL.pack(numbers.start - 1, 0, 0, 0)
    child = os.fork()
    if not child:
        code = 1
        try:
            _read_all(kind, numbers, seed, shared, record)
            code = 0
        finally:
            os._exit(code)
    seen, since, said = -1, time.monotonic(), time.monotonic()
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        now, number = time.monotonic(), _CONTROL.unpack(shared)[0]
        if number != seen:
            seen, since = number, now
        elif now - since > HANGING:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return f"hangs for {HANGING:g} s"
        if now - said > 30:
            said = now
            say(f"{type(kind).__name__}: {number + 1:,} of {numbers.stop:,}")
        time.sleep(0.02)
    if os.WIFSIGNALED(status):
        return f"ends the process with signal {os.WTERMSIG(status)}"
    return f"ends the process with code {os.WEXITSTATUS(status)}" if os.WEXITSTATUS(status) else None


def _read_all(kind: Kind, numbers: range, seed: int, shared: mmap.mmap, record: Path) -> None:
    def too_slow(_number: int, _frame: object) -> None:
        raise TooSlow

    signal.signal(signal.SIGPROF, too_slow)
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", module=r"PIL\.")  # as on the command line
    refused = warm = most = failures = 0
    for number in numbers:
        shared[:] = _CONTROL.pack(number, refused, warm, most)
        given = input_of(kind, seed, number)
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        what = attempt(kind, given)
        signal.setitimer(signal.ITIMER_PROF, 0)
        refused += what == "refused"
        if what not in (None, "refused"):
            failures += 1
            with record.open("a") as file:
                file.write(json.dumps([number, what]) + "\n")
            if failures >= MOST_FAILURES:
                break
        if number - numbers.start == WARM:
            warm = most = _memory()
        elif warm and number % 500 == 0:
            most = max(most, _memory())
    shared[:] = _CONTROL.pack(number, refused, warm, most)


def _memory() -> int:
    """Return the bytes of memory that this process takes now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")
