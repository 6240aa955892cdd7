"""The audit of several yes/no attributes: one audit for each, and which has the largest gap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairdistill.contract import lazy_face

if TYPE_CHECKING:
    from fairdistill.auditing.attributes.audit import audit_attributes
    from fairdistill.auditing.attributes.result import AttributeAudit, AttributesResult

__all__ = ["AttributeAudit", "AttributesResult", "audit_attributes"]

__getattr__ = lazy_face(
    __name__,
    {
        "audit": ("audit_attributes",),
        "result": ("AttributeAudit", "AttributesResult"),
    },
)
