"""The command for a practitioner: what to do about a model that treats groups unequally."""

from __future__ import annotations

from fairdistill.fixing.fix import fix
from fairdistill.fixing.options import FixOptions

__all__ = ["FixOptions", "fix"]
