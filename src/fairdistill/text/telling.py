"""Lines for the person who waits, on standard error."""

from __future__ import annotations

import sys

from fairdistill.escaping import shortened, shown


def tell(text: str) -> None:
    """Print a line on standard error at once; control characters in names are escaped, long values cut."""
    print(shortened(shown(text)), file=sys.stderr, flush=True)
