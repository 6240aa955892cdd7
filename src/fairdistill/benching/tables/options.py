"""The options of ``bench table``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from fairdistill.contract import check_types

Format = Literal["text", "md", "latex", "csv", "html"]


@dataclass(frozen=True, kw_only=True)
class TableOptions:
    """Options of a table of results: how it is printed.

    Example:
        >>> TableOptions(format="latex").format
        'latex'
    """

    heading: ClassVar[str] = "Output"

    format: Format = "text"
    """Output format: text, md, latex, csv or html; all of them show percent."""

    def __post_init__(self) -> None:
        check_types(self)
