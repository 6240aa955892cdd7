"""Options of a training: from a YAML file, from the command line, and from the data set it names."""

from __future__ import annotations

from argparse import SUPPRESS
from dataclasses import fields
from typing import Any

from fairdistill.cli.command import offer
from fairdistill.cli.parser import (
    Parser,
    add_options,
    numbers,
    peek,
    split_repeated,
    split_settings,
    values_of,
    with_configurations,
)
from fairdistill.cli.unknown import of_other_data
from fairdistill.data import entry
from fairdistill.errors import UsageError
from fairdistill.training import TrainOptions


def parse_training(parser: Parser, arguments: list[str]) -> tuple[TrainOptions, dict[str, Any]]:
    """Parse the options of a training along with those that the parser already has; return both."""
    name = peek(arguments, "data") or TrainOptions().data
    own = entry(name).options
    parser.elsewhere = lambda: of_other_data(name)
    parser.add_argument("--config", action="config", help="YAML file of options; the command line takes precedence")
    parser.add_argument("--format-version", type=int, help=SUPPRESS)  # so that a run's config.yaml is accepted
    parser.add_argument("--data-options", type=dict, default={}, help=SUPPRESS)
    offer(parser, TrainOptions, leave_out=("data_options",))
    add_options(parser, own, title=f"Data set {name}", unset=True)
    rest, settings = split_settings(arguments, "set")
    rest, repeated = split_repeated(rest, own)
    files = values_of(rest, "config")
    try:
        given = vars(parser.parse_args(with_configurations(rest)))
    except UsageError as error:  # the parser sees what a file holds, but not its name
        named = str(error).replace("--config: ", f"{files[0]}: ", 1) if len(files) == 1 else str(error)
        raise UsageError(named) from None
    for unused in ("config", "format_version"):
        given.pop(unused)
    # The command line overrides a file as a whole: a new method has new settings, and one budget replaces the other.
    own_settings = numbers(settings, "set")
    given["set"] = own_settings if values_of(arguments, "method") else {**given["set"], **own_settings}
    if values_of(arguments, "steps") and not values_of(arguments, "epochs"):
        given["epochs"] = None
    if values_of(arguments, "epochs") and not values_of(arguments, "steps"):
        given["steps"] = None
    # An option of the data set that is not given is left to the teacher's run, or to its default.
    of_data = {field.name: given.pop(field.name) for field in fields(own)} | repeated
    data_options = {**given.pop("data_options"), **{k: v for k, v in of_data.items() if v is not None}}
    of_run = {field.name: given.pop(field.name) for field in fields(TrainOptions) if field.name != "data_options"}
    return TrainOptions(**of_run, data_options=data_options), given
