"""The command ``data inspect``: describe a data set before training on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fairdistill.contract import given_path
from fairdistill.data import with_data_keywords
from fairdistill.inspecting.contents import contents
from fairdistill.inspecting.options import InspectOptions
from fairdistill.inspecting.result import InspectResult


def inspect(source: str | Path, /, *, options: InspectOptions | None = None, **keywords: Any) -> InspectResult:
    """Load every split of a data set, skipping broken images, and describe what it contains.

    Args:
        source: name of a data set, or path of a table or of a folder of class folders.
        options: see :class:`InspectOptions`.
        **keywords: options by name, the data set's own options included.

    Raises:
        UsageError: for options that do not fit.
        DataError: for data that cannot be used at all.

    Example:
        >>> result = inspect("digits-s", skew=0.9)
        >>> [(split.split, split.images) for split in result.splits]
        [('train', 1000), ('val', 400), ('test', 1194)]
    """
    source = str(given_path("source", source))
    options = with_data_keywords(InspectOptions, options, keywords, data=source)
    return contents(source, options)
