"""The command ``data inspect``."""

from __future__ import annotations

from dataclasses import dataclass

from fairdistill.cli.command import Command, parse
from fairdistill.cli.first import without_word
from fairdistill.cli.parser import peek
from fairdistill.contract import given_path
from fairdistill.errors import UsageError
from fairdistill.inspecting import InspectOptions

COMMAND = Command(
    name="data inspect",
    summary="Show the subgroups, splits, duplicates and broken files of a data set.",
    leave_out=("skip_broken",),
    examples=(
        "data inspect --data faces.csv --image path --label gender --group race",
        "data inspect --data cifar10s --data-root DIR",
    ),
)


@dataclass(frozen=True, kw_only=True)
class SourceOptions:
    """Data set."""

    data: str = "digits-s"
    """Data set: {datasets}, a table (.csv, .tsv, .jsonl, .parquet) or a folder of class folders."""


def run(arguments: list[str]) -> int:
    """Describe a data set."""
    if arguments[:1] in (["-h"], ["--help"]):
        print("usage: fairdistill data inspect [OPTIONS]; see fairdistill data inspect --help")
        return 0
    of_inspect = without_word(arguments, "inspect", SourceOptions, InspectOptions)
    if of_inspect is None:
        shown = " ".join(["data", *arguments[:1]])
        raise UsageError(f"expected data inspect, but got {shown}; see fairdistill data inspect --help")
    arguments = of_inspect
    named = peek(arguments, "data")
    name = SourceOptions().data if named is None else str(given_path("data", named))
    given = parse(COMMAND, arguments, SourceOptions, InspectOptions, data=name)
    from fairdistill.data import names_attributes
    from fairdistill.inspecting import inspect

    options = given.options(InspectOptions, data_options=given.data_options)
    if not names_attributes(name, options.data_options):
        print(inspect(name, options=options))
        return 0
    from fairdistill.inspecting.contents import contents_by_attribute

    found = contents_by_attribute(name, options)
    for at, (attribute, described) in enumerate(found.items(), 1):
        print(f"{chr(10) if at > 1 else ''}Attribute {attribute}, {at} of {len(found)}")
        print(described)
    return 0
