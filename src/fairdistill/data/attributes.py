"""Several yes/no attributes of each image, as one class: a combination of answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

_NONE = "(none)"


@dataclass(frozen=True, eq=False)
class Attributes:
    """What the classes of a data set say of several yes/no attributes.

    A data set with several attributes has one class for each combination of answers that occurs, so that everything
    that needs one class per image, such as a split that is drawn, works as for any other.

    Attributes:
        names: one name per attribute.
        answers: the two values of each attribute, the one that means no first.
        yes: int64 ``[C, K]``, 1 where a class says yes to an attribute, 0 for no, -1 for no answer.
    """

    names: tuple[str, ...]
    answers: tuple[tuple[str, str], ...]
    yes: NDArray[np.int64]

    def of(self, names: Sequence[str]) -> Attributes:
        """Return only the attributes with these names, in this order; the classes stay."""
        at = [self.names.index(name) for name in names]
        return Attributes(tuple(names), tuple(self.answers[place] for place in at), self.yes[:, at])

    @property
    def class_names(self) -> tuple[str, ...]:
        """A name for each class: the attributes that it says yes to, and with a question mark those without answer."""
        mark = {1: "", -1: "?"}
        said = (
            [f"{name}{mark[yes]}" for name, yes in zip(self.names, row, strict=True) if yes]
            for row in self.yes.tolist()
        )
        return tuple(", ".join(names) or _NONE for names in said)


def combined(
    names: Sequence[str], answers: Sequence[tuple[str, str]], codes: Sequence[NDArray[np.int64]]
) -> tuple[NDArray[np.int64], Attributes]:
    """Return the class of each image, int64 ``[N]``, and what the classes say.

    Args:
        names: of the attributes.
        answers: the two values of each, the one that means no first.
        codes: int64 ``[N]`` for each attribute, 1 for yes, 0 for no, -1 for no answer.

    Example:
        >>> smiling, glasses = np.array([1, 0, 1]), np.array([0, 0, 0])
        >>> labels, found = combined(["smiling", "glasses"], [("no", "yes")] * 2, [smiling, glasses])
        >>> labels.tolist(), found.class_names
        ([1, 0, 1], ('(none)', 'smiling'))
    """
    yes, labels = np.unique(np.stack(codes, axis=1), axis=0, return_inverse=True)
    return labels.reshape(-1), Attributes(tuple(names), tuple(answers), yes)


def matched(own: Attributes, other: Attributes) -> tuple[Attributes, NDArray[np.int64]]:
    """Return attributes with the classes of two data sets, and the place of each of the second's there, int64 ``[C]``.

    The first's classes keep their places.
    """
    place = {tuple(row): at for at, row in enumerate(own.yes.tolist())}
    for row in other.yes.tolist():
        place.setdefault(tuple(row), len(place))
    of_other = np.array([place[tuple(row)] for row in other.yes.tolist()], np.int64)
    return replace(own, yes=np.array(list(place), np.int64)), of_other
