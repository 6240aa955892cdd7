"""The command for a practitioner: what to do about a model that treats groups unequally."""

from __future__ import annotations

from fairdistill.fixing.options import FixOptions
from fairdistill.fixing.search import fix

__all__ = ["FixOptions", "fix"]
