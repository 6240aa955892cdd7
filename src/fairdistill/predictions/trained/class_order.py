"""Which output of a model belongs to which class of the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fairdistill.errors import TeacherError
from fairdistill.tables.columns import classes_option
from fairdistill.tables.meaning import found_in
from fairdistill.text.lists import listed

_SHOWN = 12


@dataclass(frozen=True)
class ClassOrder:
    """Which output of a model belongs to which class.

    Attributes:
        order: for each class, its output; None if they are in the same order.
        notes: what a reader should know about it.
    """

    order: tuple[int, ...] | None = None
    notes: tuple[str, ...] = ()


def matched(
    named: Sequence[str], classes: Sequence[str], *, model: str, data: str, origin: str | None = None
) -> ClassOrder:
    """Match the outputs of a model that names them with the classes of the data, by name.

    Names that can only mean the same, such as ``Cat`` and ``cat``, or 1.0 and 1, are the same.

    Args:
        named: the names of the outputs.
        classes: the classes of the data.
        model: the model, for messages.
        data: the data, for messages.
        origin: the file beside the model in which the names of the outputs are, if they are not in the model's own.

    Raises:
        TeacherError: if the names are not the same.

    Example:
        >>> matched(["cat", "dog"], ["dog", "cat"], model="m", data="d").order
        (1, 0)
    """
    if tuple(named) == tuple(classes):
        return ClassOrder()
    place, source = _places(named, classes), f" (from {origin})" if origin else ""
    if place is None:
        remedy = ""
        if len(named) == len(classes):
            remedy = (
                "; name the data's classes in the order of its outputs with --classes (its first output is "
                f"{named[0]!r})"
            )
        raise TeacherError(
            f"{model} was trained on the classes {_shown(named)}{source}; {data} has {_shown(classes)}{remedy}"
        )
    notes = []
    if any(named[output] != name for name, output in zip(classes, place, strict=True)):
        notes.append(f"The model's classes {_shown(named)}{source} were matched with the data's {_shown(classes)}")
    if place == tuple(range(len(classes))):
        return ClassOrder(None, tuple(notes))
    notes.append(
        f"The model's outputs are in the order {_shown(named)}{source}; they were matched with the data's classes by "
        "name"
    )
    return ClassOrder(place, tuple(notes))


def wrong_number(outputs: int, classes: Sequence[str], *, model: str) -> TeacherError:
    """Return the error for a model that has not one output for each class."""
    has = "1 output" if outputs == 1 else f"{outputs} outputs"
    names = listed(classes, _SHOWN)
    return TeacherError(f"{model} has {has}, but there should be {len(classes)}, one for each class: {names}")


def assumed(classes: Sequence[str]) -> tuple[str, ...]:
    """Return a note where the order of a model's outputs was assumed and other software orders the classes otherwise.

    ``torchvision.datasets.ImageFolder`` and scikit-learn's ``LabelEncoder`` order names as text, in which "10-19" comes
    before "2-9".

    Example:
        >>> assumed(["cat", "dog"]), len(assumed(["2-9", "10-19"]))
        ((), 1)
    """
    as_text = sorted(classes)
    if as_text == list(classes) or (classes[0].startswith("<") and classes[-1].startswith(">=")):
        return ()
    return (
        f"The model's file does not name its classes, so its outputs were taken in the order {_shown(classes)}. "
        "torchvision's ImageFolder and scikit-learn's LabelEncoder use another order; if the model was trained with "
        f"theirs, add {classes_option(as_text)}",
    )


def _places(named: Sequence[str], classes: Sequence[str]) -> tuple[int, ...] | None:
    """Return the output of each class; None unless every name has exactly one counterpart."""
    return outputs_named(named, classes) if len(named) == len(classes) else None


def outputs_named(named: Sequence[str], wanted: Sequence[str]) -> tuple[int, ...] | None:
    """Return the output with each of the wanted names; None unless each is the name of one output.

    Names that can only mean the same, such as ``Cat`` and ``cat``, or 1.0 and 1, are the same.

    Args:
        named: the names of the outputs.
        wanted: some or all of them, in any order.

    Example:
        >>> outputs_named(["smiling", "hat", "Glasses"], ["glasses", "smiling"])
        (2, 0)
    """
    return found_in(wanted, named)


def _shown(names: Sequence[str]) -> str:
    return listed(names, _SHOWN)
