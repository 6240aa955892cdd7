"""What a fix is about: the deployed model and its data, as far as its verdict and its files name them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairdistill.fixing.options import FixOptions


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a fix is about.

    Attributes:
        out: the folder of the fix.
        options: of the fix.
        deployed: the deployed model, or the table of its predictions on the test set.
        data_options: of the data set, with every default filled in.
        notes: what a reader should know about the data.
        made_with: versions and hardware.
        of_tables: whether only predictions were given, without the model and its images.
    """

    out: Path
    options: FixOptions
    deployed: str
    data_options: Mapping[str, Any]
    notes: tuple[str, ...]
    made_with: str
    of_tables: bool = False
