"""The outcome of a search, based only on the validation set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fairdistill.fixing.search.candidates import Candidate, Point

Ended = Literal["fair", "complete", "budget", "interrupted", "tables"]
"""Why a search ended: the deployed model is fair enough, so there was none; everything that was planned is done; the
budget is spent; Ctrl-C; everything is done that predictions alone allow."""


@dataclass(frozen=True, kw_only=True)
class Searched:
    """What was tried, and why the search ended.

    Attributes:
        ended: why.
        heads: number of last layers that were fitted.
        students: number of students that were trained, each counted once.
        first_seconds: seconds from the start until the first recommendation; None without one.
        seconds: seconds from the start to the end of the search.
        within_chance: whether the deployed model's gap on the validation set is within what chance alone would
            produce.
    """

    ended: Ended
    heads: int = 0
    students: int = 0
    first_seconds: float | None = None
    seconds: float = 0.0
    within_chance: bool = False


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The outcome on the validation set.

    Attributes:
        candidates: the best of each kind by the rule, the deployed model first; all of them are in ``points``.
        chosen: one of them; the deployed model if it is fair enough, or if no other is better by the rule.
        promising: where the deployed model is chosen, the candidate that comes next by the rule (fewest points short
            of its conditions, then best metric); None if there is none.
        points: every model that was evaluated, the deployed one first.
        notes: what a reader should know about the search.
        searched: what was tried.
    """

    candidates: tuple[Candidate, ...]
    chosen: Candidate
    promising: Candidate | None
    points: tuple[Point, ...]
    notes: tuple[str, ...]
    searched: Searched

    @property
    def deployed(self) -> Candidate:
        """The deployed model."""
        return self.candidates[0]
