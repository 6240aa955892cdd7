"""The lists of methods and data sets in help texts, filled in for ``{methods}`` and ``{datasets}``."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path

from fairdistill.data import DATASETS


def filled(text: str) -> str:
    """Return a help text with its placeholders filled in.

    Example:
        >>> filled("one of {datasets}")
        'one of digits-s, cifar10s, utkface, celeba'
    """
    if "{methods}" in text:
        text = text.replace("{methods}", ", ".join(method_names()))
    return text.replace("{datasets}", ", ".join(DATASETS))


def method_names() -> list[str]:
    """Return the names in ``METHODS``, read from its source: importing it would load PyTorch."""
    spec = find_spec("fairdistill.methods")
    assert spec is not None
    assert spec.origin is not None
    calls = [
        node
        for node in ast.walk(ast.parse(Path(spec.origin).read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Method"
    ]
    names = [call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)]
    return [name for name in names if isinstance(name, str)]
