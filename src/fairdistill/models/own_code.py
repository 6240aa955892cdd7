"""What the user's own code holds under a name: ``package.module:name``."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from types import ModuleType
from typing import Any

import torch

from fairdistill.errors import UsageError
from fairdistill.text.meant import did_you_mean
from fairdistill.text.sentences import first_line

_OWN: set[str] = set()  # files of the code that was imported


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
                f"cannot import {module!r} for the {kind} {place}: {_why(error, module, folder)}"
            ) from error
    held = getattr(found, name, None)
    maker = (held if hasattr(held, "__qualname__") else type(held)).__module__  # a package may only pass it on
    modules = (found, None if maker.partition(".")[0] == "fairdistill" else sys.modules.get(maker))
    _OWN.update(file for each in modules if (file := getattr(each, "__file__", None)) is not None)
    if not fits(held):
        where = f"the module {module!r} ({found.__file__})"
        if held is None:
            problem = f"{where} has no {name!r} to make a {kind}{_hidden(found, module)}"
        else:
            what = (
                f"it is the class {held.__name__}" if isinstance(held, type) else f"its type is {type(held).__name__}"
            )
            problem = f"expected {name!r} in {where} to be {wanted}, but {what}"
        others = [each for each, value in vars(found).items() if fits(value) and each != name]
        raise UsageError(f"{problem}{did_you_mean(name, others, written=lambda close: f'{module}:{close}')}")
    return held


def as_module(place: str) -> str:
    """Return how to name code that was named by its file, as the end of a sentence; empty for any other name.

    Example:
        >>> as_module("nets.py:Small"), as_module("lib/nets.py:Small"), as_module("nets:3")
        ('; write nets:Small', '; write nets:Small, and run fairdistill in lib', '')
    """
    file, _, name = place.rpartition(":")
    path = PurePath(file)
    if path.suffix != ".py" or not name.isidentifier():
        return ""
    folder = "" if path.parent == PurePath() else f", and run fairdistill in {path.parent}"
    return f"; write {path.stem}:{name}{folder}"


def place_in_own_code(error: BaseException) -> str | None:
    """Return the last line of own code that an error passed through, as ``FILE, line N``; None if there is none."""
    steps = [step for step in traceback.extract_tb(error.__traceback__) if step.filename in _OWN]
    return f"{steps[-1].filename}, line {steps[-1].lineno}" if steps else None


def _why(error: BaseException, module: str, folder: str) -> str:
    """Return why a module cannot be imported, and where it was looked for if it was not found."""
    first = first_line(error)
    said = f"{type(error).__name__}: {first}"
    if isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}."):
        return f"{said}; searched in {folder} and the installed packages; run fairdistill in the folder that holds it"
    if isinstance(error, ImportError) and "relative import" in first:
        return f"{said}; import the other module by its name, or make both a package and write PACKAGE.{module}:NAME"
    steps = [step for step in traceback.extract_tb(error.__traceback__) if step.filename[0] != "<"]
    if isinstance(error, SyntaxError) or Path(steps[-1].filename) == Path(__file__):
        return said  # with the file and line
    return f"{said} ({steps[-1].filename}, line {steps[-1].lineno})"


def _hidden(found: ModuleType, module: str) -> str:
    """Return what to do if another module of that name was loaded in place of one in the current folder."""
    own = Path.cwd() / f"{module.replace('.', '/')}.py"
    if not own.is_file() or (found.__file__ is not None and own.samefile(found.__file__)):
        return ""
    return f"; {own} has the name of another module, so rename it"


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
