"""Auditing several yes/no attributes of the same samples."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from fairdistill.auditing.attributes.result import AttributeAudit, AttributesResult, worst_of
from fairdistill.auditing.audit import audit, options_of
from fairdistill.auditing.options import AuditOptions
from fairdistill.contract import check_path
from fairdistill.errors import UsageError
from fairdistill.predictions import Predictions
from fairdistill.predictions.yes_no import attributes_of, read_attribute
from fairdistill.tables.reading import SUFFIXES
from fairdistill.tables.yes_no import Attribute


def audit_attributes(
    source: str | Path, /, *, options: AuditOptions | None = None, **keywords: Any
) -> AttributesResult:
    """Measure for each of several yes/no attributes how unequally a model treats groups.

    Each attribute is a problem of two classes with a DEO of its own, audited as :func:`fairdistill.audit` does. In a
    table of predictions, the attribute NAME has its true value in the column NAME, and the model's answer in
    ``pred_NAME`` (in the same values, or 0 and 1) or ``p_NAME`` (the probability of a yes), or both. A model that is
    run (``data=``) has one output for each attribute, a logit or a sigmoid.

    Args:
        source: a table of predictions, or with ``data=`` a model.
        options: see :class:`fairdistill.AuditOptions`; ``label`` names the attributes, comma-separated.
        **keywords: options by name; with ``data=``, the data set's own options too.

    Raises:
        UsageError: for options that do not fit several attributes.
        DataError: naming the table and the column, for an attribute that is not yes or no.

    Example:
        >>> result = audit_attributes("predictions.csv", label="smiling,glasses", group="race")  # doctest: +SKIP
        >>> result.worst, result.attributes[0].audit.deo_a.value  # doctest: +SKIP
        ('glasses', 0.04)
    """
    check_path("source", source)
    given = options_of(options, keywords)
    label = given.data_options.get("label", given.label) if given.data is not None else given.label
    _check(given)
    if given.data is not None:
        from fairdistill.auditing.attributes.model import run_model  # torch, which tables do not need

        attributes, found, validation = run_model(str(source), str(label), given)
    else:
        path = _table(source)
        attributes = attributes_of(path, str(label), given.yes_value, given.encoding)
        found = [read_attribute(path, given, each) for each in attributes]
        validation = _others(given.validation, given, attributes)
    against = _others(given.against, given, attributes)
    alone = replace(given, data=None, rows="auto", predictions_out=None, data_options={}, yes_value={})
    audits = tuple(
        AttributeAudit(
            attribute=each.name,
            positive=each.classes[1],
            audit=audit(of_each, options=replace(alone, against=against[at], validation=validation[at])),
        )
        for at, (each, of_each) in enumerate(zip(attributes, found, strict=True))
    )
    notes = tuple(note for each in attributes for note in each.notes)
    where = audits[0].audit.where
    return AttributesResult(
        where=where, rows=audits[0].audit.rows, worst=worst_of(audits), attributes=audits, notes=notes
    )


def _check(options: AuditOptions) -> None:
    for name in ("pred", "prob", "score", "classes", "positive"):
        if getattr(options, name) is not None or options.data_options.get(name) is not None:
            raise UsageError(
                f"--{name} applies to a single attribute; for several, the columns are pred_NAME and p_NAME, and "
                "--yes-value NAME=VALUE says which value means yes"
            )


def _table(source: str | Path) -> Path:
    path = Path(source)
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"{source}: several attributes are audited from a table of predictions ({', '.join(SUFFIXES)}), or from a "
            "model with --data; no run has several"
        )
    return path


def _others(
    source: str | Path | Predictions | None, options: AuditOptions, attributes: tuple[Attribute, ...]
) -> list[Predictions | None]:
    if source is None:
        return [None] * len(attributes)
    if isinstance(source, Predictions):
        raise UsageError("for several attributes, give other predictions as a table, not as Predictions")
    return [read_attribute(_table(source), options, each) for each in attributes]
