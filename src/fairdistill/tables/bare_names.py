"""Names of columns without what people write differently: case, blanks and signs."""

from __future__ import annotations

import re


def bare_name(name: str) -> str:
    """Return the letters and digits of a column's name, in lower case.

    Example:
        >>> bare_name("Sample Weight"), bare_name("source_id"), bare_name("COUNT(*)")
        ('sampleweight', 'sourceid', 'count')
    """
    return re.sub(r"[\W_]+", "", name).casefold()
