"""Hashes of the user's own code, ``MODULE:NAME``: what tells a run from one with an earlier state of the same file.

They cover the file of the module and, unless it is installed, those in the same folder that it imports.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

from fairdistill.models.own_code import current_folder_first
from fairdistill.models.zoo import is_own_code

_DIGITS = 12  # of the SHA-256, as sha256sum prints it
_INSTALLED = frozenset({"site-packages", "dist-packages"})  # folders of packages, whose files need not be its own
_IMPORTED: dict[str, tuple[object, dict[str, str]]] = {}  # by module: its spec, new after a reload, and its hashes


def code_digests(*names: str | None) -> dict[str, str]:
    """Return a hash of each file of the user's own code, by its path from where modules are searched.

    Nothing is imported. A module that this process has imported already counts as it was when it was first seen here,
    since that is the code that runs.

    Args:
        names: networks and methods, of which those of the form ``package.module:name`` are own code.
    """
    found: dict[str, str] = {}
    for module in _modules(names):
        loaded = getattr(sys.modules.get(module), "__spec__", None)
        spec, digests = _IMPORTED.get(module, (None, {}))
        if loaded is None or spec is not loaded:
            digests = _on_disk(module)
        if loaded is not None:
            _IMPORTED[module] = (loaded, digests)
        found |= digests
    return found


def changed_since_import(*names: str | None) -> list[str]:
    """Return the files of the user's own code that differ from what this process has imported."""
    changed: list[str] = []
    for module in _modules(names):
        present = _on_disk(module)
        changed += [file for file, digest in code_digests(f"{module}:").items() if present.get(file) != digest]
    return changed


def _modules(names: tuple[str | None, ...]) -> list[str]:
    return list(dict.fromkeys(name.partition(":")[0] for name in names if name is not None and is_own_code(name)))


def _on_disk(module: str) -> dict[str, str]:
    file = _file_of(module)
    if file is None:
        return {}
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    folder = f"{package.replace('.', '/')}/" if package else ""
    found: dict[str, str] = {}
    left = [file]
    while left:
        each = left.pop()
        name = f"{folder}{each.name}"
        if name not in found and each.is_file():
            source = each.read_bytes()
            found[name] = hashlib.sha256(source).hexdigest()[:_DIGITS]
            if not _INSTALLED & set(file.parts):
                left += [file.with_name(f"{beside}.py") for beside in _imported_beside(source, package)]
    return dict(sorted(found.items()))


def _file_of(module: str) -> Path | None:
    """Return the file of a module, or where it would be imported from; None if it is not found or has none."""
    if module in sys.modules:
        place = getattr(sys.modules[module], "__file__", None)
        return None if place is None else Path(place)
    top, *rest = module.split(".")
    with current_folder_first():
        try:
            spec = importlib.util.find_spec(top)
        except (ImportError, ValueError):
            return None
    if spec is None:
        return None
    if not rest:
        return Path(spec.origin) if spec.has_location and spec.origin is not None else None
    stems = [Path(folder, *rest) for folder in spec.submodule_search_locations or ()]
    files = [file for stem in stems for file in (stem / "__init__.py", stem.with_suffix(".py"))]
    return next((file for file in files if file.is_file()), None)


def _imported_beside(source: bytes, package: str) -> Iterator[str]:
    """Yield what a module of a package, "" for none, imports from its own folder; it may be something else there."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the user's code: Python gives them at the import
            nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError):  # no Python; or the import says what is wrong
        return
    for node in nodes:
        named: list[str] = []
        if isinstance(node, ast.Import):
            named = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level <= 1:
            base = ".".join(part for part in (package if node.level else "", node.module) if part)
            named = [base, *(f"{base}.{each.name}" for each in node.names)]
        for name in named:
            inner = name.removeprefix(f"{package}.") if package else name
            if "." not in inner and (not package or inner != name):
                yield inner
