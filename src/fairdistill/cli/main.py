"""The command line: parsing only. Each command calls one public function; the rest is imported when needed."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from importlib import import_module

from fairdistill._version import __version__
from fairdistill.cli.outcome import BAD_INPUT, DONE, drop_output, exit_code_of, flush, open_streams
from fairdistill.errors import UsageError
from fairdistill.system.memory import keep_freed_memory
from fairdistill.system.signals import raised_as_exceptions
from fairdistill.system.threads import wait_passively
from fairdistill.text.meant import did_you_mean
from fairdistill.text.telling import tell

QUESTIONS: Mapping[str, Mapping[str, str]] = {
    "Is my model unfair?": {
        "audit": "measure how unequally a model treats groups, with confidence intervals",
        "data": "inspect a data set before anything else (fairdistill data inspect)",
    },
    "Make it fairer": {
        "fix": "find a fairer model than yours within a time budget",
        "demo": "see fix at work on a biased digit classifier (about a minute)",
    },
    "Use the result": {
        "export": "write a model as ONNX, an exported program or weights, and audit the file",
        "predict": "run a model on images and write its predictions as a table",
        "report": "write an HTML report and a model card",
        "doctor": "say what is installed and what is missing",
    },
    "Research": {
        "train": "train a teacher or a student",
        "compare": "compare finished runs side by side",
        "tune": "search hyperparameters on validation data",
        "bench": "run the paper's grid of methods and seeds (bench table prints the results)",
        "embed": "draw a t-SNE map of a run's features",
    },
}
COMMANDS = {name: text for commands in QUESTIONS.values() for name, text in commands.items()}


_BATCHES = frozenset({"demo", "fix", "train", "tune", "bench", "embed", "predict"})
"""Commands that prepare many batches of images; large tables take less memory without what they keep."""


def _listed(commands: Mapping[str, str]) -> str:
    return "\n".join(f"  {name:<9} {text}" for name, text in commands.items())


_BY_QUESTION = "\n\n".join(f"{question}\n{_listed(commands)}" for question, commands in QUESTIONS.items())
_HELP = f"""usage: fairdistill COMMAND [OPTIONS]

Measure how unequally an image classifier treats groups of people, and distil a
fairer one from it.

{_BY_QUESTION}

Run `fairdistill COMMAND --help` for the options of a command; with --debug, an
error shows where in the code it arose. For your shell to complete commands and
options: fairdistill --completion bash, zsh or fish. New here? Try: fairdistill demo
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; :mod:`fairdistill.cli.outcome` lists them."""
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = [item for item in given if item != "--debug"]
    open_streams()
    try:
        code = _command(arguments)
        flush()
    except BaseException as error:
        if isinstance(error, OSError):
            drop_output()
        return exit_code_of(error, arguments[0] if arguments else "fairdistill", debug=len(arguments) < len(given))
    return code


def _command(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_HELP, end="")
        return DONE if arguments else BAD_INPUT
    if arguments[0] in ("--version", "-V", "version"):
        print(f"fairdistill {__version__}")
        return DONE
    if arguments[0] == "--completion":
        from fairdistill.cli.completion import script

        print(script(arguments[1:], COMMANDS))
        return DONE
    if arguments[0] not in COMMANDS:
        hint = did_you_mean(arguments[0], COMMANDS, otherwise=".")
        raise UsageError(
            f"unknown command {arguments[0]!r}{hint} Choose from {', '.join(COMMANDS)}; see fairdistill --help"
        )
    with warnings.catch_warnings(), raised_as_exceptions():
        warnings.showwarning = lambda message, *_, **__: tell(f"fairdistill: warning: {message}")
        warnings.filterwarnings("ignore", module=r"PIL\.")  # about the metadata of damaged files
        if arguments[0] in _BATCHES:
            keep_freed_memory()
        wait_passively()  # before PyTorch is loaded
        code: int = import_module(f"fairdistill.cli.{arguments[0]}").run(arguments[1:])
        return code
