"""A fix from predictions alone: what needs neither the model nor its images."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from fairdistill._version import __version__
from fairdistill.auditing import AuditResult, audit
from fairdistill.contract import Location, given_path, with_keywords
from fairdistill.errors import UsageError
from fairdistill.fixing.conclusion import conclude_with
from fairdistill.fixing.confirmation import OnTestSet
from fairdistill.fixing.options import FixOptions
from fairdistill.fixing.recommendation.subject import Subject
from fairdistill.fixing.result import FixResult
from fairdistill.fixing.search.candidates import Candidate
from fairdistill.fixing.search.corrections import corrections
from fairdistill.fixing.search.decision import Decision, Searched
from fairdistill.fixing.search.ranking import Ranking
from fairdistill.fixing.tables.options import TableFixOptions
from fairdistill.fixing.tables.reading import read_both
from fairdistill.fixing.verdict.verdict import is_real, within
from fairdistill.fixing.work import folder
from fairdistill.fixing.work.guessing import check_beats_guessing, check_several_predicted
from fairdistill.predictions import Predictions, TableColumns

_INPUT = "Check the columns that were read (--label, --pred, --prob) and the order of the classes (--classes)"


def fix_predictions(
    validation: Location, test: str | Path, *, options: TableFixOptions | None = None, **keywords: Any
) -> FixResult:
    """Look for a correction of a model's predictions, and recommend what to do; the model itself is not needed.

    Corrections are fitted and compared on the validation table; the test table confirms, once. Verdicts, texts and
    files are those of :func:`fairdistill.fix`.

    Args:
        validation: table of the model's predictions for validation images.
        test: table of its predictions for other images, in the same form.
        options: see :class:`TableFixOptions`.
        **keywords: options by name.

    Raises:
        UsageError: for options that do not fit, a model that is no better than guessing, or one that predicts a single
            class in the test table.
        DataError: for tables that cannot be used, or that do not have the same classes and groups, or share ids.
        RunFolderError: if the folder contains something else.

    Example:
        >>> fix_predictions("val.csv", "test.csv", label="age", group="race").verdict  # doctest: +SKIP
        'unproven'
    """
    options = with_keywords(TableFixOptions, options, keywords)
    paths = []
    for name, path in (("validation", validation), ("test", test)):
        path = given_path(name, path)
        if Path(path).is_dir():
            raise UsageError(f"{path} is a folder, not a table of predictions; {_tables_of(Path(path))}")
        paths.append(Path(path))
    of_fix = options.of_fix(str(test))
    out = Path(options.out)
    with folder.held(out):
        on_validation, on_test = read_both(paths, options)
        of_fix.chooser.check(on_validation.class_names, on_validation.group_names)
        check_beats_guessing(on_validation, str(validation), _INPUT)
        check_several_predicted(on_test, str(test), _INPUT, images="test")
        folder.begin(out, _identity(paths, options))
        audited = audit(on_validation)
        decision = _decided(on_validation, audited, of_fix)
        subject = Subject(
            out=out, options=of_fix, deployed=str(test), data_options=_columns(options),
            notes=tuple(dict.fromkeys((*on_validation.notes, *on_test.notes))),
            made_with=f"fairdistill {__version__}, from tables of predictions", of_tables=True,
        )  # fmt: skip
        adjust = decision.chosen.adjust
        after = None if adjust is None else adjust(on_test)
        return conclude_with(subject, audited, decision, lambda: OnTestSet(on_test, after))


def _decided(validation: Predictions, audited: AuditResult, options: FixOptions) -> Decision:
    """Fit the corrections, unless the model is fair enough, and choose by the rule."""
    started = time.monotonic()
    ranking = Ranking(Candidate.of_deployed(validation), options.chooser, group_at_use=options.group_at_use)
    fair_enough = within(audited, options.fair_enough)
    if not fair_enough:
        found, notes = corrections(validation)
        ranking.notes += notes
        for each in found:
            ranking.add(each)
        ranking.notes += ranking.slack_notes()
    searched = Searched(
        ended="fair" if fair_enough else "tables",
        seconds=0.0 if fair_enough else time.monotonic() - started,
        within_chance=not fair_enough and not is_real(audited),
    )
    return ranking.decision(ranking.best, ranking.promising, searched)


def _tables_of(path: Path) -> str:
    """Return which tables to name in place of a folder."""
    names = ("validation_predictions.csv", "predictions.csv")
    if all((path / name).is_file() for name in names):
        return f"of a run, name {path / names[0]} and {path / names[1]}"
    return "name two tables, of validation and of test images"


def _columns(options: TableFixOptions) -> dict[str, Any]:
    """Return the options that say what the columns mean, as far as they are set."""
    names = [item.name for item in fields(TableColumns)]
    return {name: value for name, value in asdict(options).items() if name in names and value}


def _identity(paths: Sequence[Path], options: TableFixOptions) -> dict[str, Any]:
    """Return what must be equal for the folder to be used again."""
    digests = [hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest() for path in paths]
    return {
        "fairdistill": __version__,
        "deployed": str(paths[1].absolute()),
        "data": str(paths[1]),
        "data_options": _columns(options),
        "digests": dict(zip(("validation table", "test table"), digests, strict=True)),
    }
