from dataclasses import dataclass
from typing import ClassVar

import pytest

from fairdistill.cli.command import Command, offer, parse
from fairdistill.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Group:
    """Place and time.

    More about it.
    """

    place: str = "here"
    """Where."""


@dataclass(frozen=True, kw_only=True)
class Options(Group):
    """Options of a visit: where, when and how."""

    heading: ClassVar[str] = "Visit"

    rooms: int = 1
    """How many rooms."""


@dataclass(frozen=True, kw_only=True)
class Longer(Options):
    """Longer visit."""

    nights: int = 1
    """How many nights."""
    quiet: bool = True
    """Whether it is quiet."""


def test_options_stand_below_the_heading_of_the_class_that_declares_them():
    parser = Command(name="visit", summary="Visit.").parser()
    offer(parser, Longer)
    groups = {group.title: [action.dest for action in group._group_actions] for group in parser._action_groups}
    assert {title: groups[title] for title in ("Place and time", "Visit", "Longer visit")} == {
        "Place and time": ["place"], "Visit": ["rooms"], "Longer visit": ["nights", "quiet"],
    }  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ["a", "-", "b", "--rooms", "2", "--place", "-1,1", "--no-quiet"],
        ["--rooms", "2", "a", "-", "--place", "-1,1", "--no-quiet", "b"],
        ["a", "--rooms=2", "-", "--no-quiet", "b", "--place", "-1,1"],
        ["--rooms", "2", "--place", "-1,1", "--no-quiet", "--", "a", "-", "b"],
    ],
)
def test_several_sources_and_options_come_in_any_order(arguments):
    given = parse(Command(name="visit", summary="Visit.", source="TOWN", nargs="+"), arguments, Longer)
    assert given.source == ["a", "-", "b"]
    assert given.values == {"place": "-1,1", "rooms": 2, "nights": 1, "quiet": False}


def test_an_unknown_option_among_several_sources_is_named():
    with pytest.raises(UsageError, match=r"nrecognized arguments: --stars 3; see fairdistill visit --help"):
        parse(Command(name="visit", summary="Visit.", source="TOWN", nargs="+"), ["a", "--stars", "3", "b"], Longer)


def test_a_heading_is_no_option():
    given = parse(Command(name="visit", summary="Visit."), ["--nights", "2"], Longer)
    assert given.values == {"place": "here", "rooms": 1, "nights": 2, "quiet": True}
