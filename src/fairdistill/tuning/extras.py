"""Optuna and Matplotlib, which only ``tune`` needs."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager

from fairdistill.errors import UsageError


def check_installed() -> None:
    """Raise a UsageError if one of them is missing; it says how to install it."""
    for package, name in (("optuna", "Optuna"), ("matplotlib", "Matplotlib")):
        try:
            importlib.import_module(package)
        except ModuleNotFoundError as error:
            if error.name != package:
                raise
            raise UsageError(f"tune needs {name}; install it with: pip install 'fairdistill[tune]'") from error


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
