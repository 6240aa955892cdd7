"""The audit: how unequally a model treats groups, with confidence intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairdistill.auditing.options import (
    AttributeOptions,
    AuditOptions,
    ComparisonOptions,
    IntervalOptions,
    LimitOptions,
    ModelOptions,
    SelectionOptions,
)
from fairdistill.contract import lazy_face

if TYPE_CHECKING:
    from fairdistill.auditing.audit import audit
    from fairdistill.auditing.change import change_between, model_change, worst_of
    from fairdistill.auditing.result import (
        AuditResult,
        ModelChange,
        Sizing,
        SubgroupChange,
    )
    from fairdistill.auditing.sizing import sizing
    from fairdistill.auditing.values import WorstGroup, WorstSubgroup

__all__ = [
    "AttributeOptions", "AuditOptions", "AuditResult", "ComparisonOptions", "IntervalOptions", "LimitOptions",
    "ModelChange", "ModelOptions", "SelectionOptions", "Sizing", "SubgroupChange", "WorstGroup", "WorstSubgroup",
    "audit", "change_between", "model_change", "sizing", "worst_of",
]  # fmt: skip

# The options need no statistics, so a command's help does not wait for SciPy.
__getattr__ = lazy_face(
    __name__,
    {
        "audit": ("audit",),
        "change": ("change_between", "model_change", "worst_of"),
        "result": ("AuditResult", "ModelChange", "Sizing", "SubgroupChange"),
        "sizing": ("sizing",),
        "values": ("WorstGroup", "WorstSubgroup"),
    },
)
