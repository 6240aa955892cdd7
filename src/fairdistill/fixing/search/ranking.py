"""Every model that was evaluated on the validation set, the best of each kind by the rule, and the best of all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from fairdistill.choosing import Chooser, too_small_for
from fairdistill.fixing.search.candidates import Candidate, Point
from fairdistill.fixing.search.decision import Decision, Searched
from fairdistill.heads import FittedOn
from fairdistill.reporting.recommendation import Family


class Ranking:
    """The candidates to replace a deployed model, ranked by a rule.

    Args:
        deployed: the deployed model.
        rule: the rule.
        group_at_use: whether a candidate may need the group of a person when it is used.

    Attributes:
        points: every model that was evaluated.
        notes: what a reader should know about the search.
        best_on_train: the best model so far whose last layer was fitted on training images, else the deployed one.
    """

    def __init__(self, deployed: Candidate, rule: Chooser, *, group_at_use: bool) -> None:
        self.deployed, self.rule, self.group_at_use = deployed, rule, group_at_use
        self.points: list[Point] = [deployed.point]
        self.notes: list[str] = []
        self.best_on_train = deployed
        self._kept: dict[tuple[Family, str, FittedOn | None], Candidate] = {}

    def better(self, one: Candidate, other: Candidate) -> bool:
        """Return whether a candidate is better than another by the rule."""
        return self.standing(one) < self.standing(other)

    def standing(self, candidate: Candidate) -> tuple[float, ...]:
        """Return how a candidate stands by the rule: the lower, the better, and first 0 if it meets the conditions."""
        return self.rule.standing(candidate.measures, self.deployed.measures)

    def add(self, candidate: Candidate) -> None:
        """Record a candidate: the better of two heads or lines of one name and source stays, the later student."""
        self.points.append(candidate.point)
        place = (candidate.family, candidate.name, None if candidate.head is None else candidate.head.fitted_on)
        former = self._kept.get(place)
        if candidate.collapsed:
            if former is None:
                self.notes.append(f"{candidate.name} predicts a single class, so it cannot be chosen")
            if candidate.family == "student":  # its file no longer holds the former weights
                self._kept.pop(place, None)
            return
        if former is None or candidate.family == "student" or self.better(candidate, former):
            self._kept[place] = candidate
        if candidate.head is not None and candidate.head.fitted_on == "train":
            self.best_on_train = min(self.best_on_train, candidate, key=self.standing)

    def change(self, former: Candidate, changed: Candidate) -> None:
        """Put a candidate in place of another that differs from it in its file or description alone."""
        for place, each in self._kept.items():
            if each is former:
                self._kept[place] = changed

    def leave_out(self, fitted_on: FittedOn) -> None:
        """Choose no head that was fitted to some images, and no line to one; they stay in the picture of the front."""
        self._kept = {place: each for place, each in self._kept.items() if place[-1] != fitted_on}

    def remark(self, name: str, text: str) -> None:
        """Add to the description of the candidates of a name."""
        for each in list(self._kept.values()):
            if each.name == name and text:
                self.change(each, replace(each, description=f"{each.description} ({text})"))

    @property
    def usable(self) -> list[Candidate]:
        """The candidates that may be chosen, other than the deployed model."""
        return [each for each in self._best_of_each() if self.group_at_use or not each.needs_group]

    @property
    def best(self) -> Candidate:
        """The best model so far that may be chosen."""
        return self.first_of(self.usable)

    @property
    def promising(self) -> Candidate | None:
        """The best of the others where the deployed model is the best of all; None without any."""
        return min(self.usable, key=self.standing, default=None) if self.best is self.deployed else None

    def first_of(self, candidates: Iterable[Candidate]) -> Candidate:
        """Return the best of some candidates; the deployed model unless another is better and meets the conditions."""
        best = min(candidates, key=self.standing, default=self.deployed)
        return best if self.standing(best)[0] == 0 and self.better(best, self.deployed) else self.deployed

    def of(self, *families: Family) -> list[Candidate]:
        """Return the best of each kind in some families, in the order in which they were found."""
        return [each for each in self._best_of_each() if each.family in families]

    def _best_of_each(self) -> list[Candidate]:
        """Return the best candidate of each family and name, in the order in which the names were found."""
        best: dict[tuple[Family, str], Candidate] = {}
        for (family, name, _), each in self._kept.items():
            former = best.get((family, name))
            if former is None or self.better(each, former):
                best[family, name] = each
        return list(best.values())

    def table(self) -> list[Candidate]:
        """Return the candidates to show: the deployed model and the best of each kind, of lines only the best two."""
        lines: list[Candidate] = []
        for of_head in (True, False):
            found = [each for each in self.of("line") if (each.head is not None) is of_head]
            lines += sorted(found, key=self.standing)[:1]
        return [self.deployed, *self.of("correction"), *self.of("head"), *lines, *self.of("student")]

    def decision(self, chosen: Candidate, promising: Candidate | None, searched: Searched) -> Decision:
        """Return the outcome of the search."""
        return Decision(
            candidates=tuple(self.table()), chosen=chosen, promising=promising, points=tuple(self.points),
            notes=tuple(self.notes), searched=searched,
        )  # fmt: skip

    def slack_notes(self) -> list[str]:
        """Return a note if the validation set is too small for the slack that the rule gives to what is recommended.

        That is the best model, or the promising one if it is the deployed model, which needs no slack.
        """
        shown = self.promising or self.best
        note = None if shown is self.deployed else too_small_for(self.rule, self.deployed.validation, shown.validation)
        return [] if note is None else [note]
