"""Optuna and Matplotlib, which only ``tune`` needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fairdistill.system.optional import needed


def check_installed() -> None:
    """Raise a UsageError if one of them is missing; it says how to install it."""
    for package, name in (("optuna", "Optuna"), ("matplotlib", "Matplotlib")):
        needed(package, extra="tune", by="tune needs", name=name)


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Keep Optuna from logging every study and trial to standard error: our table shows the same."""
    from optuna import logging

    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(before)
