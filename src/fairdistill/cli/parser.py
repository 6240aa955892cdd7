"""Command-line parsers made from options classes: one option per field, whose docstring is the help."""

from __future__ import annotations

import dataclasses
import json
import re
import typing
from argparse import Action, HelpFormatter
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any, Never

import docstring_parser
from jsonargparse import ActionYesNo, ArgumentParser, DefaultHelpFormatter

from fairdistill.cli.lists import filled
from fairdistill.cli.positionals import positionals
from fairdistill.cli.unknown import unknown_option
from fairdistill.contract import required_type
from fairdistill.errors import UsageError
from fairdistill.system.threads import ThreadCount
from fairdistill.text.parsing import from_yaml


class _HelpFormatter(DefaultHelpFormatter):
    """Shows no types or defaults beyond those in the help texts."""

    def _get_help_string(self, action: Action) -> str:
        if action.dest == "print_config":  # jsonargparse's own text is long and ungrammatical
            return "print the resulting configuration as YAML and exit; flags: skip_default, skip_unset"
        return action.help or ""

    def _expand_help(self, action: Action) -> str:
        return super()._expand_help(action).replace("%%", "%")  # jsonargparse leaves the escaped sign doubled

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30)  # type: ignore[no-untyped-call]  # jsonargparse's lacks annotations


class Parser(ArgumentParser):
    """A jsonargparse parser that reports errors in our style: one line, exit code 2."""

    def __init__(self, command: str, description: str, *, arguments: str = "", examples: Sequence[str] = ()) -> None:
        super().__init__(
            prog=f"fairdistill {command}",
            description=description,
            usage=f"fairdistill {command} {arguments} [OPTIONS]".replace("  ", " "),
            exit_on_error=False,
            allow_abbrev=False,  # else --pred, where it has no place, is --predictions-out
            formatter_class=_HelpFormatter,
        )
        self._examples = examples
        self.elsewhere: Callable[[], dict[str, str]] = dict  # where options belong that it does not take
        # argparse takes a lone negative number for a value, but not a list of them: --classes -1,1
        self._negative_number_matcher = re.compile(r"-\.?\d\S*$")

    def print_help(self, *args: Any, **options: Any) -> None:
        """Print the help, or hand over this parser where :func:`parser_of_help` asks for it."""
        if _asking.get():
            raise _Asked(self)
        super().print_help(*args, **options)

    def format_help(self, formatter: HelpFormatter | None = None) -> str:
        """Return the help, with the examples at its end."""
        shown = "".join(f"  fairdistill {example}\n" for example in self._examples)
        return super().format_help(formatter) + (f"\nexamples:\n{shown}" if shown else "")

    def parse_args(self, *args: Any, **options: Any) -> Any:
        """Parse; a whole number too large for a float is bad input, too."""
        try:
            return super().parse_args(*args, **options)
        except OverflowError as error:
            self.error(f"a number is too large: {error}")

    def sources_first(self, arguments: Sequence[str]) -> list[str]:
        """Return the arguments with the sources before the options: argparse takes several only if they are together.

        Args:
            arguments: the command line; one with ``--`` in it stays as it is.
        """
        switches = {flag for flag, action in self._option_string_actions.items() if action.nargs == 0}
        places = set(positionals(arguments, switches))
        sources = [argument for place, argument in enumerate(arguments) if place in places]
        options = [argument for place, argument in enumerate(arguments) if place not in places]
        return list(arguments) if "--" in arguments else [*sources, *options]

    def error(self, message: str, ex: Exception | None = None) -> Never:
        """Raise the parser's complaint as a UsageError."""
        text = " ".join(message.split())
        text = re.sub(r'Parser key "([\w.]+)": ', lambda m: f"--{m[1].replace('_', '-')}: ", text)
        text = re.sub(r"Expected an? typing\.Literal\[(.*?)\]", _choices, text)
        text = re.sub(r"Expected an? <class '(\w+)'>", lambda m: f"expected {_KINDS.get(m[1], m[1])}", text)
        text = re.sub(r"^Option ('[\w.]+') is not accepted", r"--config: unknown option \1", text)
        see = f"see {self.prog} --help"
        if text.lower().endswith(see):  # an error in a file of options passes here twice
            raise UsageError(text)
        about = unknown_option(text, self._option_string_actions, self.elsewhere())
        asks = about.endswith("?")
        raise UsageError(f"{text}; {about} {see.capitalize()}" if asks else "; ".join(filter(None, (text, about, see))))


class _Asked(Exception):  # noqa: N818  # no error
    """Carries a parser to :func:`parser_of_help`."""

    def __init__(self, parser: Parser) -> None:
        super().__init__()
        self.parser = parser


_asking: ContextVar[bool] = ContextVar("_asking", default=False)


def parser_of_help(run: Callable[[list[str]], int], arguments: Sequence[str]) -> Parser:
    """Return the parser whose help a command would print for these arguments, without printing it."""
    token = _asking.set(True)
    try:
        run([*arguments, "--help"])
    except _Asked as asked:
        return asked.parser
    finally:
        _asking.reset(token)
    raise AssertionError("the command printed no help")


def _choices(match: re.Match[str]) -> str:
    return f"expected one of {match[1]}".replace("'", "")


_KINDS = {"int": "a whole number", "float": "a number", "str": "a text", "dict": "named values (NAME: VALUE)"}


def add_options(
    parser: Parser, options: type[Any], *, title: str, leave_out: tuple[str, ...] = (), unset: bool = False
) -> None:
    """Add an option for each field of a dataclass.

    Args:
        parser: the parser to extend.
        options: a dataclass whose fields have docstrings.
        title: heading of the options in the help.
        leave_out: fields that get no option.
        unset: give None for an option that was not given, instead of its default.
    """
    group = parser.add_argument_group(title)
    docs = _field_docs(options)
    types_ = typing.get_type_hints(options)
    for field in dataclasses.fields(options):
        if field.name in leave_out:
            continue
        flags = [f"--{field.name.replace('_', '-')}", *([field.metadata["also"]] if "also" in field.metadata else [])]
        default = field.default if field.default is not dataclasses.MISSING else None
        shown = "" if default is None or "default" in docs[field.name] else f" (default: {_shown(default)})"
        help_ = (docs[field.name].rstrip(".") + shown).replace("%", "%%")
        kind = required_type(types_[field.name])
        if kind is bool:
            value = None if unset else default
            group.add_argument(*flags, action=ActionYesNo(yes_prefix="", no_prefix="no-"), default=value, help=help_)
        elif typing.get_origin(kind) is not None and typing.get_origin(kind) is not typing.Literal:
            (_, values) = typing.get_args(kind)
            form = "TERM.SETTING=VALUE" if values is float else "NAME=VALUE"
            group.add_argument(*flags, type=dict[str, values], default=None if unset else {}, metavar=form, help=help_)  # type: ignore[valid-type]  # made at run time
        else:
            metavar = None if typing.get_origin(kind) is typing.Literal else _METAVARS.get(kind, "VALUE")
            value = None if unset else default
            kind = _number_or_auto if types_[field.name] == ThreadCount else kind
            group.add_argument(*flags, type=kind, default=value, metavar=metavar, help=help_)


def _number_or_auto(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:
        return text  # the options class says what it expects


_METAVARS: Mapping[Any, str] = {int: "N", float: "X", str: "TEXT"}


def peek(arguments: list[str], option: str) -> str | None:
    """Return the value of an option before parsing, from the command line or the last YAML file that has it."""
    found = values_of(arguments, option)
    if found:
        return found[-1]
    for path in reversed(values_of(arguments, "config")):
        content = _configuration(path)
        if content.get(option) is not None:
            return str(content[option])
    return None


def with_configurations(arguments: list[str]) -> list[str]:
    """Return the arguments with the content of each file that ``--config`` names in place of its path.

    The files come first, since the parser lets what comes later take precedence. A mapping that is left empty, such as
    ``set:``, is one without entries.

    Raises:
        UsageError: if a file cannot be read, or does not hold named options.
    """
    rest, files = _separated(arguments, "config")
    return [*(f"--config={_as_json(_configuration(path))}" for path in files), *rest]


_MOST_OPTIONS = 2**20  # characters


def _configuration(path: str) -> dict[str, Any]:
    try:
        with Path(path).open(encoding="utf-8") as file:
            text = file.read(_MOST_OPTIONS + 1)  # a pipe may be read, but not a device that never ends
        if len(text) > _MOST_OPTIONS:
            raise ValueError("it is longer than any file of options")
        content = from_yaml(text)
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}; give a YAML file of options with --config") from None
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder; the options of a run are in its config.yaml") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 (byte {error.object[error.start]:#04x}); save it as UTF-8") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {path} as YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        raise UsageError(f"expected {path} to contain named options (name: value), but got {repr(content)[:100]}")
    return content


def _as_json(content: dict[str, Any]) -> str:
    filled = {name: {} if value is None and name in _MAPPINGS else value for name, value in content.items()}
    return json.dumps(filled, default=str, skipkeys=True)


_MAPPINGS = ("set", "data_options")


def values_of(arguments: list[str], option: str) -> list[str]:
    """Return every value given for ``--option VALUE`` or ``--option=VALUE``, in their order."""
    return _separated(arguments, option)[1]


def _separated(arguments: list[str], option: str) -> tuple[list[str], list[str]]:
    """Return the other arguments, and the values of an option; one that is last, without a value, stays."""
    flag = f"--{option}"
    rest: list[str] = []
    values: list[str] = []
    for item in arguments:
        if rest[-1:] == [flag]:
            rest.pop()
            values.append(item)
        elif item.startswith(f"{flag}="):
            values.append(item.partition("=")[2])
        else:
            rest.append(item)
    return rest, values


def named_values(options: type[Any]) -> list[str]:
    """Return the options of a dataclass that take ``NAME=VALUE`` and can be repeated."""
    kinds = typing.get_type_hints(options)
    mappings = [name for name, kind in kinds.items() if typing.get_origin(required_type(kind)) is Mapping]
    return [name for name in mappings if name != "data_options"]  # each of them has its own flag


def split_settings(arguments: list[str], option: str) -> tuple[list[str], dict[str, str]]:
    """Separate every ``--OPTION NAME=VALUE`` from the other arguments.

    Returns:
        The other arguments, and the values by name.

    Raises:
        UsageError: if one has no name or no value, or a name has two values.
    """
    settings: dict[str, str] = {}
    rest, values = _separated(arguments, option)
    for item in values:
        name, _, value = item.partition("=")
        if not name or not value:
            raise UsageError(f"expected --{option} {_named_form(option)}, but got {item!r}")
        if settings.setdefault(name, value) != value:
            raise UsageError(f"--{option} gives {name} two values, {settings[name]} and {value}; name it once")
    return rest, settings


def split_repeated(arguments: list[str], options: type[Any]) -> tuple[list[str], dict[str, dict[str, str]]]:
    """Separate the repeatable ``NAME=VALUE`` options of a dataclass from the other arguments."""
    repeated: dict[str, dict[str, str]] = {}
    for option in named_values(options):
        arguments, values = split_settings(arguments, option.replace("_", "-"))
        repeated.update({option: values} if values else {})
    return arguments, repeated


def numbers(settings: Mapping[str, str], option: str) -> dict[str, float]:
    """Return settings whose values are numbers.

    Raises:
        UsageError: if one is not a number.
    """
    found = {}
    for name, value in settings.items():
        try:
            found[name] = float(value)
        except ValueError:
            raise UsageError(f"expected --{option} {_named_form(option)}, but got {f'{name}={value}'!r}") from None
    return found


def _named_form(option: str) -> str:
    return "TERM.SETTING=NUMBER" if option == "set" else "NAME=VALUE"


def _field_docs(options: type[Any]) -> dict[str, str]:
    docs: dict[str, str] = {}
    for cls in reversed(options.__mro__[:-1]):
        docs |= _own_docs(cls)
    return {field.name: filled(docs.get(field.name, "")) for field in dataclasses.fields(options)}


@cache  # a class is a base of every class and heading below it, and its source is slow to parse
def _own_docs(cls: type[Any]) -> dict[str, str]:
    """Return the docstrings of the fields that a class declares itself."""
    parsed = docstring_parser.parse_from_object(cls)
    return {param.arg_name: " ".join((param.description or "").split()) for param in parsed.params}


def _shown(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
