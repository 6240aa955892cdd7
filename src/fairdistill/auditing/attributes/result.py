"""The result of an audit of several attributes, as typed values."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fairdistill.auditing.result import AuditResult
from fairdistill.contract import Result


@dataclass(frozen=True, kw_only=True)
class AttributeAudit(Result):
    """One yes/no attribute.

    Attributes:
        attribute: its name.
        positive: the value that means yes.
        unanswered: samples without an answer, which are left out of its audit.
        audit: the audit of the two classes no and yes, the same as if the attribute were audited alone.
    """

    attribute: str
    positive: str
    unanswered: int
    audit: AuditResult


@dataclass(frozen=True, kw_only=True)
class AttributesResult(Result):
    """The result of an audit of several attributes.

    Attributes:
        where: the source that was audited.
        rows: samples, including those without an answer to some attributes.
        worst: the attribute with the largest DEO_A; None if it is undefined for all.
        attributes: one audit each, in the order of ``--label``.
        notes: what a reader should know about the attributes, one sentence each.
    """

    where: str
    rows: int
    worst: str | None
    attributes: tuple[AttributeAudit, ...]
    notes: tuple[str, ...]

    def markdown(self) -> str:
        """Return a short summary as Markdown: the verdict, the limits, and a row for each attribute."""
        return self._written_by("summary", "summary")

    @property
    def exit_code(self) -> int:
        """1 if a limit is clearly exceeded for an attribute, 3 if the data cannot tell for one, otherwise 0."""
        codes = {each.audit.exit_code for each in self.attributes}
        return next((code for code in (1, 3) if code in codes), 0)


def with_largest_gap(attributes: tuple[AttributeAudit, ...]) -> str | None:
    """Return the attribute with the largest DEO_A, None if none is defined."""
    known = [each for each in attributes if not math.isnan(each.audit.deo_a.value)]
    return max(known, key=lambda each: each.audit.deo_a.value).attribute if known else None
