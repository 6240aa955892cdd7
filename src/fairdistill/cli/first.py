"""The first argument that is not an option, found before a command line is parsed: it says which options there are."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from fairdistill.cli.positionals import positionals
from fairdistill.cli.unknown import flags_of
from fairdistill.contract import required_type
from fairdistill.data import DATASETS
from fairdistill.data.own.options import FolderOptions, TableOptions


def first_argument(arguments: Sequence[str], *options: type[Any]) -> int | None:
    """Return the place of the first argument that is neither an option nor the value of one; None if there is none.

    Options of every data set count, since their own is not known yet.

    Args:
        arguments: the command line.
        options: the options classes of the command.

    Example:
        >>> from fairdistill.benching import BenchOptions
        >>> first_argument(["--seeds", "0-3", "digits-s", "--dry-run"], BenchOptions)
        2
    """
    of_data = (entry.options for entry in DATASETS.values())
    switches = {"-h", "--help"}
    for cls in (*options, TableOptions, FolderOptions, *of_data):
        switches |= _switches(cls)
    return next(positionals(arguments, switches), None)


def without_word(arguments: Sequence[str], word: str, *options: type[Any]) -> list[str] | None:
    """Return the command line without the word it begins with, after any options; None if it begins with another.

    Example:
        >>> from fairdistill.benching import TableOptions
        >>> without_word(["--format", "md", "table", "grid"], "table", TableOptions)
        ['--format', 'md', 'grid']
    """
    place = first_argument(arguments, *options)
    if place is None or arguments[place] != word:
        return None
    return [*arguments[:place], *arguments[place + 1 :]]


def _switches(options: type[Any]) -> set[str]:
    """Return the options of a dataclass that take no value."""
    kinds = typing.get_type_hints(options)
    flags = zip(fields(options), flags_of(options), strict=True)
    found = {flag for item, flag in flags if required_type(kinds[item.name]) is bool}
    return found | {f"--no-{flag.removeprefix('--')}" for flag in found}
