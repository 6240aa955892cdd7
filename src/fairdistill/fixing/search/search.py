"""What a search has found so far: every model that was evaluated, the best of each kind, and the best of all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from fairdistill.choosing import Chooser, Measures
from fairdistill.fixing.search.candidates import Candidate, Point, first_of
from fairdistill.fixing.search.pace import Pace
from fairdistill.fixing.work.work import Work
from fairdistill.heads import FittedOn
from fairdistill.models.last_layer.layer import LastLayer
from fairdistill.predictions.trained.repaired import file_of, write_with_last_layer
from fairdistill.reporting.recommendation import Family
from fairdistill.runs import write_json
from fairdistill.text.durations import format_seconds
from fairdistill.text.numbers import percent
from fairdistill.text.telling import tell

_ALWAYS_SHOWN = {"balanced_accuracy": "balanced accuracy", "deo_a": "DEO_A"}


class Search:
    """What a search has found so far.

    Args:
        work: the working data of the fix.
        deployed: the deployed model.

    Attributes:
        points: every model that was evaluated.
        notes: what a reader should know about the search.
        students: names of the students that were trained.
        heads: number of last layers that were fitted.
        first_seconds: seconds from the start to the first recommendation of another model.
        layer: the deployed network's last layer, once it was found.
        best_on_train: the best model so far whose last layer was fitted on training images, else the deployed one.
        image_seconds: how long a forward pass takes for an image, as measured last.
        audit_seconds: how long an audit took.
        pace: how fast students are trained, as measured last; None before the first.
    """

    def __init__(self, work: Work, deployed: Candidate) -> None:
        self.work, self.deployed = work, deployed
        self.points: list[Point] = [deployed.point]
        self.notes: list[str] = []
        self.students: dict[str, None] = {}
        self.heads = 0
        self.first_seconds: float | None = None
        self.layer: LastLayer | None = None
        self.best_on_train = deployed
        self.image_seconds = work.deployed.image_seconds
        self.audit_seconds = 0.0
        self.pace: Pace | None = None
        self._kept: dict[tuple[Family, str, FittedOn | None], Candidate] = {}
        self._announced: Candidate = deployed

    @property
    def rule(self) -> Chooser:
        """The rule that chooses."""
        return self.work.options.chooser

    def better(self, one: Candidate, other: Candidate) -> bool:
        """Return whether a candidate is better than another by the rule."""
        return self.standing(one) < self.standing(other)

    def standing(self, candidate: Candidate) -> tuple[float, ...]:
        """Return how a candidate stands by the rule; the lower, the better."""
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

    def leave_out(self, fitted_on: FittedOn) -> None:
        """Choose no head that was fitted to some images, and no line to one; they stay in the picture of the front."""
        out = {id(each) for (*_, on), each in self._kept.items() if on == fitted_on}
        self._kept = {place: each for place, each in self._kept.items() if id(each) not in out}
        if id(self._announced) in out:
            self._announced = self.deployed

    def remark(self, name: str, text: str) -> None:
        """Add to the description of the candidates of a name."""
        for place, each in self._kept.items():
            if each.name == name and text:
                self._kept[place] = replace(each, description=f"{each.description} ({text})")

    @property
    def best(self) -> Candidate:
        """The best model so far that may be chosen, with its file."""
        return self.first_of(self.usable)

    def first_of(self, candidates: Iterable[Candidate]) -> Candidate:
        """Return the best of some candidates by the rule; the deployed model unless another is better and allowed."""
        return first_of(candidates, self.deployed, self.standing)

    @property
    def usable(self) -> list[Candidate]:
        """The candidates that may be chosen, other than the deployed model."""
        known_at_use = self.work.options.group_at_use
        return [each for each in self._best_of_each() if known_at_use or not each.needs_group]

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

    def with_file(self, candidate: Candidate) -> Candidate:
        """Write the file of a head or of a line to one, unless that is done, and return the candidate with it."""
        if candidate.head is None or candidate.source is not None or self.layer is None:
            return candidate
        target = self.write_head(candidate, self.work.out / "heads" / candidate.slug)
        filed = replace(candidate, source=replace(self.work.deployed.source, path=str(target)))
        for place, each in self._kept.items():
            if each is candidate:
                self._kept[place] = filed
        return filed

    def write_head(self, candidate: Candidate, folder: Path) -> Path:
        """Write the deployed model's file with the last layer of a head, or of a line to one, and return its path."""
        assert candidate.head is not None, "it is a head or a line to one"
        assert self.layer is not None, "heads are fitted where it was found"
        source, head = self.work.deployed.source, candidate.head.head
        return write_with_last_layer(source, self.layer, head.weight, head.bias, folder / file_of(source).name)

    def announce(self) -> None:
        """If there is a new best model, write its file and say so, with the time since the start."""
        best = self.best
        if best is self.deployed or best is self._announced or not self.better(best, self._announced):
            return
        best = self._announced = self.with_file(best)
        seconds = self.work.clock.spent
        if self.first_seconds is None:
            self.first_seconds = seconds
        changes = changes_in_words(self.rule, self.deployed.measures, best.measures)
        where = "" if best.file is None else f"; {best.file}"
        tell(f"{format_seconds(seconds)}: {best.title}: {changes} on validation{where}")
        _write_so_far(self.work.out, best, seconds)


def changes_in_words(rule: Chooser, before: Measures, after: Measures) -> str:
    """Return how two models differ in balanced accuracy, DEO_A and the metric of the rule, in percent."""
    shown = dict(_ALWAYS_SHOWN)
    if rule.metric is not None and rule.metric not in shown:
        shown[rule.metric] = rule.metric
    return ", ".join(f"{title} {percent(before[name])} -> {percent(after[name])}" for name, title in shown.items())


def _write_so_far(out: Path, best: Candidate, seconds: float) -> None:
    """Record the best model so far, for whoever stops the search or only wants the first answer."""
    shown = {name: best.measures[name] for name in ("accuracy", "balanced_accuracy", "deo_a", "deo_m")}
    file = None if best.file is None else str(best.file)
    write_json(
        out / "so-far.json",
        {"name": best.title, "description": best.description, "file": file, "seconds": seconds, "validation": shown},
    )
