"""How a command ends: its exit code, and the one place where errors of the outside world become ours.

0   done                                      4    training failed, or a run of a grid did
1   audit: a limit is exceeded;               70   an unforeseen error: a bug of fairdistill
    export: the file is worse than the model  74   the machine gave out: disk full, no memory, device broken
2   bad input                                 130  stopped by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP
3   audit: the data cannot tell
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from pathlib import Path
from typing import Final

from fairdistill.errors import FairdistillError, ResourceError, TrainingError, UsageError
from fairdistill.escaping import brief
from fairdistill.system.signals import signal_of

DONE: Final = 0
BAD_INPUT: Final = 2
TRAINING_FAILED: Final = 4
UNFORESEEN: Final = 70  # EX_SOFTWARE of BSD's sysexits.h
MACHINE: Final = 74  # EX_IOERR
_SIGNAL: Final = 128

_OF_MACHINE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOMEM, errno.EMFILE, errno.ENFILE}
_NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "can't start new thread")


def exit_code_of(error: BaseException, command: str, *, debug: bool) -> int:
    """Print why a command ended, in one line, and return its exit code.

    Args:
        error: what it raised.
        command: its name.
        debug: print the traceback of an unforeseen error, too.
    """
    if isinstance(error, SystemExit):  # --help
        return error.code if isinstance(error.code, int) else DONE
    if isinstance(error, BrokenPipeError):  # the reader, for example `head`, has closed the pipe
        return DONE
    if isinstance(error, KeyboardInterrupt):
        return _say("stopped", _SIGNAL + signal_of(error))
    known = _ours(error, command)
    if debug:
        traceback.print_exception(error)
    if known is None:
        return _say(f"unforeseen error: {_described(error)}{'' if debug else _MORE}", UNFORESEEN)
    if isinstance(known, TrainingError):
        number = getattr(known, "signal_number", None)
        return _say(str(known), TRAINING_FAILED if number is None else _SIGNAL + int(number))
    return _say(f"error: {known}", MACHINE if isinstance(known, ResourceError) else BAD_INPUT)


_MORE = "; this is a bug of fairdistill: please report it with what the same command prints with --debug"


def _ours(error: BaseException, command: str) -> FairdistillError | None:
    """Return an error of the outside world as one of ours; None if it is unforeseen."""
    if isinstance(error, FairdistillError):
        return error
    if isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith("fairdistill"):
        return UsageError(
            f"{command} needs the package {error.name}, which is not installed here; install it with: "
            "pip install fairdistill"
        )
    if isinstance(error, OSError) and error.errno is not None:
        where = f"{error.filename}: " if error.filename else ""
        why = f"{where}{error.strerror or error}"
        return ResourceError(why) if error.errno in _OF_MACHINE else UsageError(why)
    if isinstance(error, MemoryError) or any(part in str(error).lower() for part in _NO_MEMORY):
        return ResourceError(f"there is not enough memory ({_first_line(error)}); free some, or use a smaller input")
    own = sys.modules.get("fairdistill.models.own_code")  # it is loaded if there is any
    place = None if own is None else own.place_in_own_code(error)
    if place is not None:
        return UsageError(f"your own code failed ({place}): {type(error).__name__}: {_first_line(error)}")
    return None


def _described(error: BaseException) -> str:
    """Return an error in one line, with the line of ours that it came from."""
    ours = Path(__file__).parents[1]
    steps = [step for step in traceback.extract_tb(error.__traceback__) if Path(step.filename).is_relative_to(ours)]
    where = f" (in {Path(steps[-1].filename).relative_to(ours.parent)}, line {steps[-1].lineno})" if steps else ""
    return f"{type(error).__name__}: {_first_line(error)}{where}"


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]


def _say(text: str, code: int) -> int:
    if sys.stderr is not None:  # None if it was closed before the start
        try:
            print(f"fairdistill: {brief(text)}", file=sys.stderr, flush=True)
        except OSError:  # nobody can read it; the exit code still tells
            return code
    return code


def open_streams() -> None:
    """Let both outputs take any character, and open those that were closed before the start."""
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is None:
            taken = os.open(os.devnull, os.O_WRONLY)
            if taken != number:  # so that no file that is opened later takes what is printed
                os.dup2(taken, number)
                os.close(taken)
            setattr(sys, name, os.fdopen(number, "w", encoding="utf-8", closefd=False))
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def flush() -> None:
    """Write what was printed.

    Raises:
        OSError: if it cannot be written; nothing is then left that would fail again at exit.
    """
    try:
        sys.stdout.flush()
    except OSError:
        drop_output()
        raise


def drop_output() -> None:
    """Throw away what was printed and not yet written: the output cannot be written."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # a stream without a file
        return
