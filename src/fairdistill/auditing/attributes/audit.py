"""Auditing several yes/no attributes of the same samples."""

from __future__ import annotations

from typing import Any

from fairdistill.auditing.attributes.result import AttributeAudit, AttributesResult, with_largest_gap
from fairdistill.auditing.attributes.source import read_attributes
from fairdistill.auditing.audit import audited, options_of, table_or_path
from fairdistill.auditing.options import AuditOptions
from fairdistill.contract import Location
from fairdistill.errors import UsageError
from fairdistill.tables.frames import Frame


def audit_attributes(
    source: Location | Frame, /, *, options: AuditOptions | None = None, **keywords: Any
) -> AttributesResult:
    """Measure for each of several yes/no attributes how unequally a model treats groups.

    Each attribute is a problem of two classes with a DEO of its own, audited as :func:`fairdistill.audit` does. In a
    table of predictions, the attribute NAME has its true value in the column NAME, and the model's answer in
    ``pred_NAME`` (in the same values, or 0 and 1) or ``p_NAME`` (the probability of a yes), or both; with
    ``attribute=``, it has a row for each sample and attribute, and that column names the attribute. A model that is
    run (``data=``) has one output for each attribute, a logit or a sigmoid. Samples without an answer to an attribute
    are left out of its audit, and counted.

    Args:
        source: a table of predictions, as a file or a pandas table, a finished run that was trained on several
            attributes, or with ``data=`` a model.
        options: see :class:`fairdistill.AuditOptions`; ``label`` names the attributes, comma-separated (of a run, by
            default all).
        **keywords: options by name; with ``data=``, the data set's own options too.

    Raises:
        UsageError: for options that do not fit several attributes.
        DataError: naming the table and the column, for an attribute that is not yes or no.

    Example:
        >>> result = audit_attributes("predictions.csv", label="smiling,glasses", group="race")  # doctest: +SKIP
        >>> result.worst, result.attributes[0].audit.deo_a.value  # doctest: +SKIP
        ('glasses', 0.04)
    """
    given = options_of(options, keywords)
    source = table_or_path(source, given)
    _check(given)
    inputs = read_attributes(source, given)
    audits = tuple(
        AttributeAudit(
            attribute=each.name,
            positive=each.classes[1],
            unanswered=each.unanswered,
            audit=audited(of_one, given, attribute=each.name if given.attribute is None else given.label),
        )
        for each, of_one in zip(inputs.attributes, inputs.each, strict=True)
    )
    notes = tuple(note for each in inputs.attributes for note in each.notes)
    first = audits[0]
    return AttributesResult(
        where=first.audit.where,
        rows=first.audit.rows + first.unanswered,
        worst=with_largest_gap(audits),
        attributes=audits,
        notes=notes,
    )


def _check(options: AuditOptions) -> None:
    if options.attribute is not None:
        return  # a column for all attributes
    for name in ("pred", "prob", "score", "classes", "positive"):
        if getattr(options, name) is not None or options.data_options.get(name) is not None:
            raise UsageError(
                f"--{name} applies to a single attribute; for several, the columns are pred_NAME and p_NAME, and "
                "--yes-value NAME=VALUE says which value means yes"
            )
