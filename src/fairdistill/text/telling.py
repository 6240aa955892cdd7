"""Lines for the person who waits, on standard error."""

from __future__ import annotations

import sys

from fairdistill.escaping import shown


def tell(text: str) -> None:
    """Print a line on standard error at once; control characters in names are escaped."""
    print(shown(text), file=sys.stderr, flush=True)
