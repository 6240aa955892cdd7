"""The options of ``data inspect``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from fairdistill.contract import check_types
from fairdistill.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class InspectOptions:
    """Options of an inspection: how the data set is loaded, and the accuracy assumed for its chance level.

    Example:
        >>> InspectOptions(data_options={"skew": 0.9}).accuracy
        0.8
    """

    heading: ClassVar[str] = "Loading and evaluation"

    data_root: str | None = field(default=None, metadata={"also": "--root"})
    """Folder with the data files; default: $FAIRDISTILL_DATA, or a table's own folder."""
    data_options: Mapping[str, Any] = field(default_factory=dict)
    """The data set's own options, for example skew and data_seed."""
    accuracy: float = 0.8
    """Accuracy assumed for the perfectly fair model whose DEO by chance is shown."""

    def __post_init__(self) -> None:
        check_types(self)
        if not 0 < self.accuracy < 1:
            raise UsageError(f"expected accuracy to lie between 0 and 1, but got {self.accuracy}")
