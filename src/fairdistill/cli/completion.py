"""``fairdistill --completion SHELL``: a script that makes a shell complete commands, options and their values.

The script holds everything itself, so completing a word does not start Python.
"""

from __future__ import annotations

import argparse
import typing
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from fairdistill.cli.parser import Parser, parser_of_help
from fairdistill.data import DATASETS
from fairdistill.errors import UsageError
from fairdistill.method_names import METHOD_NAMES
from fairdistill.system.optional import needed

SHELLS = ("bash", "zsh", "fish")

_WORDS: Mapping[str, Sequence[str]] = {"data": ("inspect",), "bench": ("table", *DATASETS)}
"""What may follow a command, where that is not a file."""

_OWN_IMAGES = ("--data", "images.csv")
_HELP_OF: Mapping[str, Sequence[str]] = {"data": ("inspect", *_OWN_IMAGES), "train": _OWN_IMAGES, "tune": _OWN_IMAGES}
"""Arguments whose help shows the options of your own images, where a command's help without them does not."""


def script(arguments: Sequence[str], commands: Mapping[str, str]) -> str:
    """Return the script of a shell.

    Args:
        arguments: the name of the shell alone.
        commands: what each command does, by its name.

    Raises:
        UsageError: for another shell, or if shtab is not installed.
    """
    if len(arguments) != 1 or arguments[0] not in SHELLS:
        given = " ".join(arguments) or "nothing"
        raise UsageError(f"expected --completion {', '.join(SHELLS[:-1])} or {SHELLS[-1]}, but got {given}")
    shtab = needed("shtab", extra="completion", by="--completion needs")
    top = argparse.ArgumentParser(prog="fairdistill")
    top.add_argument("--version", action="store_true", help="print the version")
    below = top.add_subparsers(dest="command")
    for name, text in commands.items():
        run = import_module(f"fairdistill.cli.{name}").run
        own = below.add_parser(name, help=text, description=text)
        _copy(parser_of_help(run, _HELP_OF.get(name, ())), own, words=_WORDS.get(name, ()), file=shtab.FILE)
    written: str = shtab.complete(top, shell=arguments[0])
    return written


def _copy(shown: Parser, own: argparse.ArgumentParser, *, words: Sequence[str], file: Any) -> None:
    """Give a plain parser the options of ours, whose own kinds of actions shtab does not know."""
    if words:
        own.add_argument("word", nargs="?", choices=words)
    for action in shown._actions:
        if action.dest == "help" or action.help == argparse.SUPPRESS:
            continue
        text = (action.help or "").split(". ")[0].split(" (default")[0].replace("%%", "%").replace("%", "%%")
        values = _values(action)
        if not action.option_strings:
            if not words:
                own.add_argument(action.dest, nargs="*", help=text).complete = file  # type: ignore[attr-defined]
        elif action.nargs == 0 or _is_switch(action):
            own.add_argument(*action.option_strings, action="store_true", dest=action.dest, help=text)
        elif values:
            own.add_argument(*action.option_strings, dest=action.dest, choices=values, help=text)
        else:
            added = own.add_argument(*action.option_strings, dest=action.dest, help=text)
            if "str" in str(getattr(action, "_typehint", None) or action.type):
                added.complete = file  # type: ignore[attr-defined]  # shtab reads it


def _is_switch(action: argparse.Action) -> bool:
    return type(action).__name__ == "ActionYesNo"


def _values(action: argparse.Action) -> list[str]:
    """Return the values among which an option chooses."""
    if action.dest == "method":
        return list(METHOD_NAMES)
    kind = getattr(action, "_typehint", None)
    kinds = [kind, *typing.get_args(kind)]
    literals = [value for each in kinds if typing.get_origin(each) is typing.Literal for value in typing.get_args(each)]
    return [str(value) for value in literals or action.choices or ()]
