"""The audit: how unequally a model treats groups, with confidence intervals; predictions may come from any software."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fairdistill.auditing.change import change_between
from fairdistill.auditing.corrections import corrections, own_corrections
from fairdistill.auditing.limits import Audited, limits_of
from fairdistill.auditing.measuring import (
    check,
    classes_of,
    groups_of,
    left_out,
    metrics_of,
    notes_of,
    too_few_exchanges,
)
from fairdistill.auditing.options import AuditOptions
from fairdistill.auditing.result import AuditResult, Correction
from fairdistill.auditing.scored import auc_left_out, scored_of
from fairdistill.auditing.selection import selection_of
from fairdistill.auditing.sizing import Worth, sizing
from fairdistill.auditing.source import Inputs, read_inputs
from fairdistill.auditing.subgroups import subgroups_of
from fairdistill.contract import Location, given_path, with_keywords
from fairdistill.errors import UsageError
from fairdistill.metrics import Resampled
from fairdistill.metrics.collapse import hardly_predicted
from fairdistill.predictions import Predictions, overlap_note, pairing_note
from fairdistill.predictions.attribute_run import attribute_run, attributes_of_run
from fairdistill.system.standard_input import is_standard_input
from fairdistill.tables.frames import FRAME, Frame
from fairdistill.tables.yes_no import names_several
from fairdistill.text.progress import working


def audit(
    source: Predictions | Location | Frame, /, *, options: AuditOptions | None = None, **keywords: Any
) -> AuditResult:
    """Measure how unequally a model treats groups, with confidence intervals.

    Args:
        source: a table of predictions, as a file or a pandas table, a finished run folder (audited with its teacher's
            and its validation predictions), predictions in memory, or with ``data=`` a model: run folder, weights file,
            exported program.
        options: see :class:`AuditOptions`.
        **keywords: options by name; with ``data=``, the data set's own options too.

    Returns:
        The result of the audit; ``audit.json`` holds its ``to_dict()``.

    Raises:
        UsageError: for options that do not fit.
        DataError: if there are not at least two classes and two groups, or a table cannot be used.
        RunFolderError: if a folder holds no finished run.

    Example:
        >>> rows = np.arange(400)
        >>> result = audit(Predictions(
        ...     where="made up", ids=None, sources=rows, labels=rows % 2, groups=rows // 2 % 2,
        ...     predicted=np.where(rows < 40, 0, rows % 2), probabilities=None,
        ...     class_names=("no", "yes"), group_names=("a", "b")), max_deo_a=0.5)
        >>> result.accuracy.value, result.limits[0].verdict
        (0.95, 'within')
    """
    given = options_of(options, keywords)
    if not isinstance(source, Predictions):
        source = table_or_path(source, given)
    _check_single(source, given)
    return audited(read_inputs(source, given), given)


def table_or_path(source: Location | Frame, options: AuditOptions) -> str | Path | Frame:
    """Return what is audited: a pandas table as it is, of anything else its path.

    Raises:
        UsageError: if it is neither, or a table where the options name the images of a model.
    """
    if not isinstance(source, Frame):
        return given_path("source", source)
    if options.data is not None:
        raise UsageError("expected a model with data=, but got a table of predictions; leave data out")
    return source


def _check_single(source: Predictions | str | Path | Frame, options: AuditOptions) -> None:
    if options.yes_value and options.data is None:
        name, value = next(iter(options.yes_value.items()))
        raise UsageError(
            f"--yes-value {name}={value} is for several yes/no columns in --label; for a single one, drop it"
        )
    if isinstance(source, Frame):
        label = options.label
        if options.attribute is not None or (label is not None and "," in label and label not in source.columns):
            raise UsageError(
                f"{FRAME}: the label names several attributes; audit them with fairdistill.audit_attributes, or name "
                "one with label="
            )
        return
    if isinstance(source, Predictions) or not several_named(source, options):
        return
    raise UsageError(
        f"{options.data or source}: the label names several attributes; in Python, audit them with "
        "fairdistill.audit_attributes, or name one with label="
    )


def several_named(source: str | Path, options: AuditOptions) -> bool:
    """Return whether an audit is one of several attributes: ``--label`` names them, or the run was trained on them."""
    if options.attribute is not None:
        return True
    if options.data is not None:
        from fairdistill.data import names_attributes  # which a table of predictions has no need of

        given = {"label", "target"}.intersection(options.data_options)
        return names_attributes(options.data, options.data_options) or (not given and attribute_run(source) is not None)
    run = None if is_standard_input(source) else attribute_run(source)
    if run is not None:
        return len(attributes_of_run(run, options.label)) > 1
    return names_several(options.label, source, options.encoding)


def options_of(options: AuditOptions | None, keywords: dict[str, Any]) -> AuditOptions:
    """Return the options of a call; keywords that are options of the named data set go to ``data_options``."""
    if keywords.get("data") is None and getattr(options, "data", None) is None:
        return with_keywords(AuditOptions, options, keywords)
    from fairdistill.data import with_data_keywords  # which a table of predictions has no need of

    return with_data_keywords(AuditOptions, options, keywords)


@working("resampling the test set")
def audited(inputs: Inputs, options: AuditOptions, *, attribute: str | None = None) -> AuditResult:
    """Return the audit of predictions that were read, see :func:`audit`; ``attribute`` as in :func:`.order_note`."""
    predictions, against, validation = inputs.predictions, inputs.against, inputs.validation
    check(predictions)
    options = options.of(predictions)
    counts = predictions.sparse_counts
    sample = Resampled(predictions.correct[None], predictions.samples, options.drawing)
    scored = scored_of(predictions, options)
    metrics = metrics_of(predictions, sample, options, scored)
    collapsed = bool(np.ptp(predictions.predicted) == 0)
    hardly = np.flatnonzero(hardly_predicted(counts.chosen, counts.rows)).tolist()
    limited = Audited(
        predictions=predictions, against=against, sample=sample, metrics=metrics, hardly=len(hardly),
        collapsed=collapsed,
    )  # fmt: skip
    posthoc, why_not = _posthoc(predictions, validation, options)
    return AuditResult(
        where=predictions.where,
        rows=len(predictions),
        unknown_groups=int((predictions.groups < 0).sum()),
        sources=predictions.num_sources,
        class_names=predictions.class_names,
        group_names=predictions.group_names,
        probability_columns=predictions.probability_columns,
        positive=options.positive,
        confidence=options.confidence,
        draws=sample.draws,
        seed=options.seed,
        design=options.drawing.design,
        metrics=metrics,
        classes=classes_of(predictions, sample),
        groups=groups_of(predictions, sample, scored),
        cells=subgroups_of(predictions, sample, seed=options.seed),
        counts=counts,
        empty_cells=counts.empty,
        collapsed=collapsed,
        hardly_predicted=tuple(predictions.class_names[label] for label in hardly),
        sizing=sizing(
            counts.rows,
            metrics.accuracy.value,
            options.confidence,
            predictions.group_names,
            worth=Worth.of(sample),
        ),
        limits=limits_of(limited, options),
        allow_undecided=options.allow_undecided,
        notes=(
            *notes_of(predictions, attribute),
            *left_out(predictions, sample),
            *too_few_exchanges(sample),
            *auc_left_out(predictions),
            *_pairing(predictions, against, validation),
            *_of_others(predictions, against, validation, attribute=attribute),
            *why_not,
        ),
        model=predictions.model,
        against=None if against is None else change_between(against, predictions, options, where=against.where),
        posthoc=posthoc,
        selection=selection_of(predictions, options),
    )


def _posthoc(
    predictions: Predictions, validation: Predictions | None, options: AuditOptions
) -> tuple[tuple[Correction, ...] | None, tuple[str, ...]]:
    if validation is None:
        return None, ()
    if options.validation is None:
        return own_corrections(predictions, validation, options)
    return corrections(predictions, validation, options), ()


def _pairing(predictions: Predictions, against: Predictions | None, validation: Predictions | None) -> tuple[str, ...]:
    notes = (
        None if against is None else pairing_note(against, predictions),
        None if validation is None else overlap_note(predictions, validation),
    )
    return tuple(note for note in notes if note is not None)


def _of_others(predictions: Predictions, *others: Predictions | None, attribute: str | None = None) -> tuple[str, ...]:
    """Return the notes on other predictions that are not also on the audited ones, with the name of their table."""
    known = {*notes_of(predictions, attribute)}
    return tuple(
        f"{other.where}: {note}"
        for other in others
        if other is not None
        for note in notes_of(other, attribute)
        if note not in known
    )
