"""The command line: parsing only. Each command calls one public function; the rest is imported when needed."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from threading import current_thread, main_thread

from fairdistill._version import __version__
from fairdistill.errors import FairdistillError, TrainingError, UsageError
from fairdistill.system.memory import keep_freed_memory
from fairdistill.text.telling import tell

COMMANDS = {
    "demo": "train a biased digit classifier and run fix on it (about a minute)",
    "audit": "measure how unequally a model treats groups, with confidence intervals",
    "fix": "find a fairer model than yours within a time budget",
    "train": "train a teacher or a student",
    "tune": "search hyperparameters on validation data",
    "compare": "compare finished runs side by side",
    "embed": "draw a t-SNE map of a run's features",
    "report": "write an HTML report and a model card",
    "bench": "run the paper's grid of methods and seeds (bench table prints the results)",
    "data": "inspect a data set (fairdistill data inspect)",
}

_HELP = f"""usage: fairdistill COMMAND [OPTIONS]

Measure how unequally an image classifier treats groups of people, and distil a
fairer one from it.

commands:
{chr(10).join(f"  {name:<9} {text}" for name, text in COMMANDS.items())}

Run `fairdistill COMMAND --help` for the options of a command. New here? Try:
fairdistill demo
"""


@contextmanager
def _ctrl_c_while_torch_loads() -> Iterator[None]:
    """Exit at once on a Ctrl-C that meets PyTorch loading: its C++ part would turn an exception into an abort."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler or current_thread() is not main_thread():
        yield
        return

    def stop(_number: int, _frame: object) -> None:
        if getattr(getattr(sys.modules.get("torch"), "__spec__", None), "_initializing", False):
            os.write(2, b"fairdistill: stopped\n")
            os._exit(130)  # nothing has been written yet
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is stop:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 done, 1 training failed or an audit's limit is exceeded, 2 bad input, 3 an audit cannot tell, 130 stopped by
    Ctrl-C.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_HELP, end="")
        return 0 if arguments else 2
    if arguments[0] == "--version":
        print(f"fairdistill {__version__}")
        return 0
    try:
        if arguments[0] not in COMMANDS:
            raise UsageError(f"unknown command {arguments[0]!r}; choose from {', '.join(COMMANDS)}")
        with warnings.catch_warnings(), _ctrl_c_while_torch_loads():
            warnings.showwarning = lambda message, *_, **__: tell(f"fairdistill: warning: {message}")
            warnings.filterwarnings("ignore", module=r"PIL\.")  # about the metadata of damaged files
            keep_freed_memory()
            code: int = import_module(f"fairdistill.cli.{arguments[0]}").run(arguments[1:])
            sys.stdout.flush()
            return code
    except TrainingError as error:
        print(f"fairdistill: {error}", file=sys.stderr)
        number = getattr(error, "signal_number", None)
        return 1 if number is None else 128 + int(number)
    except FairdistillError as error:
        print(f"fairdistill: error: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("fairdistill"):
            raise
        needs = f"{arguments[0]} needs the package {error.name}, which is not installed here"
        print(f"fairdistill: error: {needs}; install it with: pip install fairdistill", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader, for example `head`, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"fairdistill: error: {where}{error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("fairdistill: stopped", file=sys.stderr)
        return 130
    except SystemExit as stop:  # --help
        return int(stop.code or 0)
