"""How much of the budget is left for training students."""

from __future__ import annotations

from fairdistill.fixing.search.candidates import SHARES
from fairdistill.fixing.search.search import Search

_AUDITS = 4  # of both models, what changes, and the report, in audits
_LEAST_FOR_AUDITS = 5.0  # seconds
_MOST_FOR_LINES = 0.25  # of the time left


def time_for_students(search: Search) -> float:
    """Return the seconds left for training, without those that reading the test set, lines and a head will take."""
    left = time_before_the_test(search)
    lines = (len(SHARES) + 2) * len(search.work.samples.validation) * search.image_seconds
    return left - min(lines, _MOST_FOR_LINES * max(0.0, left))


def time_before_the_test(search: Search) -> float:
    """Return the seconds left until the test set must be read; lines and another head are tried if there is time."""
    work = search.work
    audits = max(_LEAST_FOR_AUDITS, _AUDITS * search.audit_seconds)
    return work.clock.left - 2 * len(work.samples.test) * search.image_seconds - audits
