"""The audit: how unequally a model treats groups, and how sure that is."""

from __future__ import annotations

from fairdistill.auditing.audit import audit
from fairdistill.auditing.change import change_between, model_change, worst_of
from fairdistill.auditing.measuring import sizing
from fairdistill.auditing.options import AuditOptions, ComparisonOptions, IntervalOptions, LimitOptions, ModelOptions
from fairdistill.auditing.result import (
    AuditResult,
    ModelChange,
    Sizing,
    SubgroupChange,
    WorstGroup,
    WorstSubgroup,
)

__all__ = [
    "AuditOptions", "AuditResult", "ComparisonOptions", "IntervalOptions", "LimitOptions", "ModelChange",
    "ModelOptions", "Sizing", "SubgroupChange", "WorstGroup", "WorstSubgroup", "audit", "change_between",
    "model_change", "sizing", "worst_of",
]  # fmt: skip
