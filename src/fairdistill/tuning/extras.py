"""Optuna and Matplotlib, which only ``tune`` needs."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager

from fairdistill.errors import UsageError


def check_installed() -> None:
    """Raise a UsageError, before anything is done, if one of them is missing; it says what installs it."""
    for package, name in (("optuna", "Optuna"), ("matplotlib", "Matplotlib")):
        try:
            importlib.import_module(package)
        except ModuleNotFoundError as error:
            if error.name != package:
                raise
            raise UsageError(f"tune needs {name}; install it with: pip install 'fairdistill[tune]'") from error


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Keep Optuna from logging each study and trial on standard error: what it would say is in our table."""
    from optuna import logging

    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(before)
