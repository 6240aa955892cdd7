"""Documents for auditors: what a law or guideline asks to be reported, with blanks for what an audit cannot know."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fairdistill.auditing.documents.annex_iv import annex_iv
from fairdistill.auditing.documents.nyc import nyc
from fairdistill.auditing.documents.provenance import Provenance
from fairdistill.auditing.documents.ugesp import ugesp
from fairdistill.auditing.result import AuditResult

__all__ = ["DOCUMENTS", "Provenance", "document"]

DOCUMENTS: Mapping[str, Callable[[AuditResult, Provenance], str]] = {
    "nyc": nyc,
    "ugesp": ugesp,
    "annex-iv": annex_iv,
}


def document(template: str, result: AuditResult, provenance: Provenance) -> str:
    """Return a document as Markdown.

    Args:
        template: ``nyc``, ``ugesp`` or ``annex-iv``.
        result: the audit; ``nyc`` and ``ugesp`` need one with a positive class.
        provenance: what it was made from.
    """
    return DOCUMENTS[template](result, provenance)
