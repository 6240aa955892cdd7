"""What to say about an option that a command does not take: where it belongs, or what was probably meant."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection
from dataclasses import fields
from pathlib import Path
from typing import Any

from fairdistill.text.meant import SIMILAR, did_you_mean


def unknown_option(message: str, known: Collection[str], elsewhere: dict[str, str]) -> str:
    """Return a sentence on the first option of a complaint about unknown ones; empty if there is nothing to say.

    Data that are named without ``--data`` or ``--images`` are told so.

    Args:
        message: the parser's complaint, for example ``unrecognized arguments: --modle resnet18``, or ``unknown option
            'modle'`` for one in a file of options.
        known: the options that the parser takes.
        elsewhere: where other options belong, by option.

    Example:
        >>> unknown_option("unrecognized arguments: --modle resnet18", ["--model", "--data"], {})
        'did you mean --model?'
    """
    found = re.search(r"nrecognized arguments: (?:.*?\s)?(--[^\s=]+)|unknown option '(\w+)'", message)
    _, _, given = message.partition("nrecognized arguments: ")
    word = given if Path(given).exists() else given.partition(" ")[0]
    for option in ("--data", "--images"):
        if option in known and _names_data(word):
            return f"did you mean {option} {shlex.quote(word)}?"
    if found is None:
        return ""
    option = found[1] or f"--{found[2].replace('_', '-')}"
    if option in elsewhere:
        return f"{option} {elsewhere[option]}"
    flags = [each for each in known if each.startswith("--")]
    return did_you_mean(option, flags, similarity=SIMILAR, written=str).removeprefix("; ")


def _names_data(word: str) -> bool:
    from fairdistill.data import DATASETS
    from fairdistill.tables.reading import SUFFIXES

    return bool(word) and (word in DATASETS or Path(word).suffix.lower() in SUFFIXES or Path(word).is_dir())


def flags_of(options: type[Any]) -> list[str]:
    """Return the options that the fields of a dataclass become."""
    return [f"--{item.name.replace('_', '-')}" for item in fields(options)]


def of_some_data() -> dict[str, str]:
    """Return where the options of your own images belong while no data set is named."""
    from fairdistill.data.own.options import FolderOptions, TableOptions

    flags = [*flags_of(TableOptions), *flags_of(FolderOptions)]
    return dict.fromkeys(flags, "is for images of your own; name their table or folder with --data")


def of_other_data(data: str) -> dict[str, str]:
    """Return where the options of other kinds of data belong that a data set does not have."""
    from fairdistill.data import DATASETS, entry
    from fairdistill.data.own.options import FolderOptions, TableOptions

    found = entry(data)
    ours = f"--data {data} is {found.summary}" if data not in DATASETS else f"the data set is {data}"
    kinds = [("a table of images", TableOptions), ("a folder of class folders", FolderOptions)]
    kinds += [(f"the data set {name}", each.options) for name, each in DATASETS.items()]
    own = set(flags_of(found.options))
    here = f"{ours}{_table_in(Path(data))}"
    hints: dict[str, str] = {}
    for kind, options in kinds:
        for flag in flags_of(options):
            if flag not in own:
                hints.setdefault(flag, f"is an option of {kind}, but {here}")
    if found.options is TableOptions:
        hints["--group-table"] += "; join the two tables into one, for example with merge of pandas"
    return hints


def _table_in(folder: Path) -> str:
    """Return which table a folder holds, if it is one and holds exactly one."""
    from fairdistill.tables.parts import tables_in

    tables = tables_in(folder)
    return f"; to use the table in it: --data {tables[0]}" if len(tables) == 1 else ""
