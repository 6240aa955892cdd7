"""The options of a fix from predictions alone."""

from __future__ import annotations

from dataclasses import dataclass, fields

from fairdistill.choosing import FIX_RULE, RuleFunction
from fairdistill.fixing.options import FixOptions
from fairdistill.predictions import TableColumns


@dataclass(frozen=True, kw_only=True)
class TableChoiceOptions:
    """Choice and output."""

    rule: str | RuleFunction = FIX_RULE
    """How to choose among the candidates, on the validation set; "deployed" stands for your model."""
    fair_enough: float = 0.03
    """Keep the model if, with 95% confidence, its DEO_A is below this value (0.03 = 3 points)."""
    group_at_use: bool = False
    """Also consider corrections of the model's outputs; to use one, you must know each person's group."""
    out: str = "fairdistill-fix"
    """Output folder."""


@dataclass(frozen=True, kw_only=True)
class TableFixOptions(TableChoiceOptions, TableColumns):
    """Options of a fix from predictions."""

    def of_fix(self, data: str) -> FixOptions:
        """Return them as the options of a fix of this data.

        Raises:
            UsageError: if a value is out of its range.
        """
        own = {item.name: getattr(self, item.name) for item in fields(TableChoiceOptions)}
        return FixOptions(data=data, students=0, **own)
