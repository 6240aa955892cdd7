"""A search for a fairer model: what it has found so far, the files of that, and its speed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fairdistill.choosing import Chooser, Measures
from fairdistill.fixing.search.candidates import Candidate
from fairdistill.fixing.search.pace import Pace
from fairdistill.fixing.search.ranking import Ranking
from fairdistill.fixing.work.work import Work
from fairdistill.heads import FittedOn
from fairdistill.models.last_layer.layer import LastLayer
from fairdistill.predictions.trained.repaired import file_of, write_with_last_layer
from fairdistill.runs import write_json
from fairdistill.text.durations import format_seconds
from fairdistill.text.numbers import percent
from fairdistill.text.telling import tell

_ALWAYS_SHOWN = {"balanced_accuracy": "balanced accuracy", "deo_a": "DEO_A"}


class Search(Ranking):
    """What a search has found so far, and what it knows of its own speed.

    Args:
        work: the working data of the fix.
        deployed: the deployed model.

    Attributes:
        students: names of the students that were trained.
        heads: number of last layers that were fitted.
        first_seconds: seconds from the start to the first recommendation of another model.
        layer: the deployed network's last layer, once it was found.
        image_seconds: how long a forward pass takes for an image, as measured last.
        audit_seconds: how long an audit took.
        pace: how fast students are trained, as measured last; None before the first.
    """

    def __init__(self, work: Work, deployed: Candidate) -> None:
        super().__init__(deployed, work.options.chooser, group_at_use=work.options.group_at_use)
        self.work = work
        self.students: dict[str, None] = {}
        self.heads = 0
        self.first_seconds: float | None = None
        self.layer: LastLayer | None = None
        self.image_seconds = work.deployed.image_seconds
        self.audit_seconds = 0.0
        self.pace: Pace | None = None
        self._announced: Candidate = deployed

    def leave_out(self, fitted_on: FittedOn) -> None:
        """Choose no head that was fitted to some images, and no line to one; they stay in the picture of the front."""
        super().leave_out(fitted_on)
        if self._announced.head is not None and self._announced.head.fitted_on == fitted_on:
            self._announced = self.deployed

    def with_file(self, candidate: Candidate) -> Candidate:
        """Write the file of a head or of a line to one, unless that is done, and return the candidate with it."""
        if candidate.head is None or candidate.source is not None or self.layer is None:
            return candidate
        target = self.write_head(candidate, self.work.out / "heads" / candidate.slug)
        filed = replace(candidate, source=replace(self.work.deployed.source, path=str(target)))
        for other in list(self._kept.values()):
            if other.source == filed.source:  # that of the same name on other images, whose file this one replaces
                self.change(other, replace(other, source=None))
        self.change(candidate, filed)
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
