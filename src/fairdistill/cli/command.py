"""What all commands share: parse the options, call the function, print, exit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from fairdistill.cli.parser import Parser, add_options, split_repeated
from fairdistill.cli.unknown import of_other_data, of_some_data
from fairdistill.contract import groups_of

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Command:
    """What a command line looks like.

    Attributes:
        name: for example ``compare``.
        summary: one sentence for its help.
        source: the positional argument as shown in the usage; empty if there is none.
        source_help: its help text.
        nargs: how many sources there are: one (None), one or none (``?``), or several (``+``).
        leave_out: options of the data set that the command defines itself or does not offer.
        images: whether it reads images of your own, so that its help shows their options before `--data` is given.
        examples: shown at the end of the help, without the name of the program.
    """

    name: str
    summary: str
    source: str = ""
    source_help: str = ""
    nargs: str | None = None
    leave_out: tuple[str, ...] = ()
    images: bool = False
    examples: tuple[str, ...] = ()

    def parser(self) -> Parser:
        """Return a parser that knows only the source so far."""
        shown = f"[{self.source}]" if self.nargs == "?" else f"{self.source}..." if self.nargs == "+" else self.source
        parser = Parser(self.name, self.summary, arguments=shown, examples=self.examples)
        if self.source:
            parser.add_argument(self.dest, metavar=self.source, type=str, nargs=self.nargs, help=self.source_help)
        return parser

    @property
    def dest(self) -> str:
        """The source's name in errors and among the parsed values."""
        return self.source if self.source.isidentifier() else "DATA"


@dataclass(frozen=True)
class Given:
    """The parsed command line.

    Attributes:
        source: the source or sources; None if the command has none.
        values: options by name.
        data_options: options of the data set that were given, by name.
    """

    source: Any
    values: dict[str, Any]
    data_options: dict[str, Any] = field(default_factory=dict)

    def options(self, cls: type[T], **others: Any) -> T:
        """Return the options of one class; those of the data set go into its field ``data_options``, if it has one."""
        names = [item.name for item in fields(cls)]  # type: ignore[arg-type]  # a dataclass
        own = {"data_options": self.data_options} if "data_options" in names else {}
        return cls(**{name: self.values[name] for name in names if name in self.values} | own | others)


def parse(
    command: Command,
    arguments: Sequence[str],
    *options: type[Any],
    data: str | None = None,
    elsewhere: Mapping[str, str] | None = None,
) -> Given:
    """Parse a command line.

    Args:
        command: its definition.
        arguments: the arguments given.
        options: the options classes; each class that declares any becomes a heading in the help.
        data: the data set whose own options are offered too, or None.
        elsewhere: what to say about options that the command takes only with other ones, by option.

    Raises:
        UsageError: for anything that does not fit.
    """
    rest = list(arguments)
    parser = command.parser()
    parser.elsewhere = lambda: {**_of_data(command, options, data), **(elsewhere or {})}
    repeated: dict[str, Any] = {}
    for cls in options:
        offer(parser, cls, leave_out=("data_options",))
        rest, found = split_repeated(rest, cls)
        repeated |= found
    own = None
    if data is not None:
        from fairdistill.data import entry

        own = entry(data).options
        add_options(parser, own, title=f"Data set {data}", leave_out=command.leave_out, unset=True)
        rest, found = split_repeated(rest, own)
    elif command.images and asks_for_help(rest):
        _show_options_of_images(parser, command)
    values = vars(parser.parse_args(parser.sources_first(rest) if command.nargs == "+" else rest))
    source = values.pop(command.dest, None)
    of_data: dict[str, Any] = {}
    if own is not None:
        names = [item.name for item in fields(own) if item.name not in command.leave_out]
        of_data = {name: values.pop(name, None) for name in names} | found
    given_data = {name: value for name, value in of_data.items() if value is not None}
    return Given(source, values | repeated, given_data)


def _of_data(command: Command, options: Sequence[type[Any]], data: str | None) -> dict[str, str]:
    """Return where options of the data belong that a command line does not take as it stands."""
    if data is not None:
        return of_other_data(data)
    takes_data = command.images or any(item.name == "data" for cls in options for item in fields(cls))
    return of_some_data() if takes_data else {}


def asks_for_help(arguments: Sequence[str]) -> bool:
    """Return whether the help is asked for."""
    return "-h" in arguments or "--help" in arguments


def _show_options_of_images(parser: Parser, command: Command) -> None:
    """Add the options of a table of images to a help, but those whose names the command has, too."""
    from fairdistill.data import entry

    own = entry("images.csv").options
    taken = {action.dest for action in parser._actions}
    names = tuple(item.name for item in fields(own) if item.name in taken)
    add_options(parser, own, title=_YOUR_IMAGES, leave_out=(*names, *command.leave_out), unset=True)


_YOUR_IMAGES = (
    "Your images, with --data TABLE (a folder or a built-in data set has other options: add --data to see them)"
)


def offer(parser: Parser, options: type[Any], *, leave_out: tuple[str, ...] = ()) -> None:
    """Add an options class to a parser, with a heading for each class that declares any of its options.

    The heading is the class's own ``heading``; of a class that is only a group of options, it is the docstring.
    """
    for owner, declared in groups_of(options).items():
        title = vars(owner).get("heading") or (owner.__doc__ or owner.__name__).split("\n")[0].rstrip(".")
        names = [item.name for item in declared]
        others = tuple(item.name for item in fields(options) if item.name not in names or item.name in leave_out)
        add_options(parser, options, title=title, leave_out=others)
