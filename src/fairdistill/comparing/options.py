"""The options of ``compare``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from fairdistill.contract import check_types

Format = Literal["text", "md", "csv", "latex", "json"]


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """Options of a comparison: how its table is printed.

    Example:
        >>> CompareOptions(format="md").format
        'md'
    """

    heading: ClassVar[str] = "Output"

    format: Format = "text"
    """Output format: text, md, csv, latex or json. Text, md and latex show percent; csv and json hold fractions."""

    def __post_init__(self) -> None:
        check_types(self)
