"""The result of a search, as typed values; ``tune.json`` is :meth:`TuneResult.to_dict`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from fairdistill.contract import Result, key
from fairdistill.metrics import Scores
from fairdistill.runs import read_json
from fairdistill.training import Environment

State = Literal["finished", "stopped early", "failed", "in hand"]

FILES = ("tune.json", "front.md", "front.svg")
"""The files of a result, in the study's folder."""


@dataclass(frozen=True, kw_only=True)
class Trial(Result):
    """One trial of a study.

    Attributes:
        number: from 0, in the order in which the trials were started.
        settings: the values of the searched hyperparameters, by name.
        state: ``in hand`` while it is being trained, here or on another machine.
        validation: what the checkpoint scores on the validation set; None if the trial failed or is still running.
        measures: all metrics of the checkpoint there that are defined, by name; empty unless the trial finished.
        step: the step of the checkpoint.
        steps: the step at which the trial ended.
        seconds: how long it took; None if it was resumed or failed.
        beaten_by: the trial for which it was stopped early.
        error: why it failed.
        host: the machine that trained it.
        folder: its run folder on that machine.
    """

    number: int
    settings: Mapping[str, float]
    state: State
    validation: Scores | None = None
    measures: Mapping[str, float] = field(default_factory=dict)
    step: int | None = None
    steps: int | None = None
    seconds: float | None = None
    beaten_by: int | None = None
    error: str | None = None
    host: str | None = None
    folder: str | None = None

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Trial:
        """Return the trial of a mapping as ``to_dict`` returns it."""
        validation = content.get("validation")
        scores = None if validation is None else Scores.from_dict(validation)
        return cls(**{**content, "validation": scores, "measures": dict(content.get("measures", {}))})


@dataclass(frozen=True, kw_only=True)
class TeacherOnValidation(Result):
    """The teacher, and what it scores on the validation set; ``measures`` are as for a trial."""

    model: str
    validation: Scores
    measures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ScoresOnTest(Scores):
    """What the chosen trial scores on the test set, the number of samples there, and what the teacher scores.

    ``measures`` are all metrics of the trial there, as for the validation set.
    """

    rows: int
    teacher: Scores | None
    measures: Mapping[str, float] = field(default_factory=dict)

    @staticmethod
    def from_dict(content: Mapping[str, Any]) -> ScoresOnTest:
        """Return the scores of a mapping as ``tune.json`` and ``result.json`` hold it."""
        teacher = content["teacher"]
        return ScoresOnTest(
            **asdict(Scores.from_dict(content)),
            rows=content["rows"],
            teacher=None if teacher is None else Scores.from_dict(teacher),
            measures=dict(content.get("measures", {})),
        )


@dataclass(frozen=True, kw_only=True)
class Closed(Result):
    """For which trial and by which rule the test set was read, of how many trials, and when."""

    trial: int
    rule: str
    trials: int
    when: str


@dataclass(frozen=True, kw_only=True)
class TuneResult(Result):
    """The result of a search; fractions.

    Attributes:
        version: the version of fairdistill.
        study: the study's name.
        method: what was trained.
        data: the data set's name.
        seed: the seed of the search and of every trial.
        search: the range or list of each hyperparameter, by name.
        sampler: how trials were proposed.
        objectives: the metrics of the Pareto front.
        rule: how a trial is chosen.
        rule_in_words: the same, with the limits in percent.
        steps: of a trial.
        early_stopping: whether a trial could be stopped early.
        validation_rows: the number of validation samples.
        teacher: the teacher on the validation set, if there is one.
        trials: every trial, in order.
        front: the numbers of the trials on the Pareto front.
        chosen: the number of the chosen trial; None while trials are running and none of the others meets the rule.
        run: the run folder of the chosen trial, on the machine that trained it.
        test: the chosen trial on the test set; None if that has not been read.
        closed: for what the test set was read; None while the study is open.
        notes: what is left to do, as sentences.
        identity: what must be equal for the search to continue.
        made_with: versions and hardware.
        out: the study's folder, which holds the files ``FILES``.
    """

    version: str = key("fairdistill")
    study: str
    method: str
    data: str
    seed: int
    search: Mapping[str, str]
    sampler: str
    objectives: tuple[str, ...]
    rule: str
    rule_in_words: str
    steps: int
    early_stopping: bool
    validation_rows: int
    teacher: TeacherOnValidation | None
    trials: tuple[Trial, ...]
    front: tuple[int, ...]
    chosen: int | None
    run: Path | None
    test: ScoresOnTest | None
    closed: Closed | None
    notes: tuple[str, ...]
    identity: Mapping[str, Any]
    made_with: Environment = key("environment")
    out: Path = key(written=False)

    @property
    def chosen_trial(self) -> Trial | None:
        """The chosen trial."""
        return next((trial for trial in self.trials if trial.number == self.chosen), None)

    @property
    def validation(self) -> Scores | None:
        """What the chosen trial scores on the validation set."""
        return None if self.chosen_trial is None else self.chosen_trial.validation

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that hold the result."""
        return tuple(self.out / name for name in FILES)

    @classmethod
    def read(cls, out: Path) -> TuneResult:
        """Return the result that a study's folder holds.

        Raises:
            RunFolderError: if it cannot be read.
        """
        content = read_json(out / "tune.json")
        teacher, test, closed, run = content["teacher"], content["test"], content["closed"], content["run"]
        typed = {
            "version": content["fairdistill"],
            "made_with": Environment(**content["environment"]),
            "objectives": tuple(content["objectives"]),
            "teacher": None
            if teacher is None
            else TeacherOnValidation(
                model=teacher["model"],
                validation=Scores.from_dict(teacher["validation"]),
                measures=dict(teacher.get("measures", {})),
            ),
            "trials": tuple(Trial.from_dict(each) for each in content["trials"]),
            "front": tuple(content["front"]),
            "run": None if run is None else Path(run),
            "test": None if test is None else ScoresOnTest.from_dict(test),
            "closed": None if closed is None else Closed(**closed),
            "notes": tuple(content["notes"]),
        }
        same = {name: value for name, value in content.items() if name not in ("fairdistill", "environment")}
        return cls(out=out, **{**same, **typed})
