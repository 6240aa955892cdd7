"""What the user's own code holds under a name: ``package.module:name``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from fairdistill.errors import UsageError
from fairdistill.text.meant import meant


def own_code(place: str, *, kind: str, wanted: str, fits: Callable[[Any], bool]) -> Any:
    """Import a module, the current folder searched first, and return what it holds under a name.

    Args:
        place: ``package.module:name``.
        kind: what it is for, as in "the network".
        wanted: what it should be, for messages.
        fits: whether what was found is that.

    Raises:
        UsageError: if the module cannot be imported, or holds nothing under this name that fits.
    """
    module, _, name = place.partition(":")
    with current_folder_first() as folder:
        try:
            with torch.random.fork_rng(devices=[]):  # random numbers are drawn only at the first import
                found = importlib.import_module(module)
        except (Exception, SystemExit) as error:  # the module's own code may raise anything
            raise UsageError(
                f"cannot import {module!r} for the {kind} {place}: {type(error).__name__}: {error}; searched "
                f"in {folder} and the installed packages; run fairdistill in the folder that holds it"
            ) from error
    held = getattr(found, name, None)
    if not fits(held):
        where = f"the module {module!r} ({found.__file__})"
        if held is None:
            problem = f"{where} has no {name!r} to make a {kind}"
        else:
            problem = f"expected {name!r} in {where} to be {wanted}, but its type is {type(held).__name__}"
        others = [each for each, value in vars(found).items() if fits(value) and each != name]
        raise UsageError(f"{problem}{meant(name, others, written=lambda close: f'{module}:{close}')}")
    return held


@contextmanager
def current_folder_first() -> Iterator[str]:
    """Search the current folder before all others for modules."""
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        yield folder
    finally:
        sys.path.remove(folder)
