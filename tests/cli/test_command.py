from dataclasses import dataclass
from typing import ClassVar

from fairdistill.cli.command import Command, offer, parse


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


def test_options_stand_below_the_heading_of_the_class_that_declares_them():
    parser = Command(name="visit", summary="Visit.").parser()
    offer(parser, Longer)
    groups = {group.title: [action.dest for action in group._group_actions] for group in parser._action_groups}
    assert {title: groups[title] for title in ("Place and time", "Visit", "Longer visit")} == {
        "Place and time": ["place"], "Visit": ["rooms"], "Longer visit": ["nights"],
    }  # fmt: skip


def test_a_heading_is_no_option():
    given = parse(Command(name="visit", summary="Visit."), ["--nights", "2"], Longer)
    assert given.values == {"place": "here", "rooms": 1, "nights": 2}
