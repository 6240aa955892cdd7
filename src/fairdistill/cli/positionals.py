"""Which arguments of a command line are neither options nor their values."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence


def positionals(arguments: Sequence[str], switches: Collection[str]) -> Iterator[int]:
    """Yield the place of each argument that is neither an option nor the value of one; ``-`` is standard input.

    An option that is not known takes a value, as most do.

    Args:
        arguments: the command line.
        switches: the options that take no value.

    Example:
        >>> list(positionals(["--format", "md", "a", "--quiet", "b"], {"--quiet"}))
        [2, 4]
    """
    is_value = False
    for place, argument in enumerate(arguments):
        if is_value:
            is_value = False
        elif argument == "-" or not argument.startswith("-"):
            yield place
        else:
            is_value = "=" not in argument and argument not in switches
