"""The names of a network's outputs, as checkpoints and configurations write them."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from fairdistill.text.parsing import from_json

_LISTS = ("class_names", "classes", "CLASSES", "label_names", "labels", "names")
_BY_NUMBER = ("id2label", "idx_to_class", "idx2label", "index_to_class")
_BY_NAME = ("class_to_idx", "label2id", "class_to_index")
_INSIDE = ("hyper_parameters", "hparams", "meta", "config", "pretrained_cfg", "default_cfg")
_PLACEHOLDER = re.compile(r"LABEL_\d+")  # what transformers writes where no name was given


def class_names_in(content: Mapping[Any, Any], depth: int = 3) -> tuple[str, ...] | None:
    """Return the names of the classes in the order of the outputs, None if the content does not tell them.

    They may be a list (``class_names``, ``classes``, ``label_names``), numbered (``id2label``), or number by name
    (``class_to_idx``), also a few levels further inside.

    Example:
        >>> class_names_in({"id2label": {"0": "cat", "1": "dog"}, "label2id": {"cat": 0, "dog": 1}})
        ('cat', 'dog')
    """
    for key in (*_BY_NUMBER, *_BY_NAME, *_LISTS):
        names = _names(content.get(key))
        if names is not None:
            return names
    inside = (content.get(key) for key in _INSIDE)
    found = (class_names_in(part, depth - 1) for part in inside if isinstance(part, Mapping) and depth)
    return next((names for names in found if names is not None), None)


def class_names_in_texts(metadata: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the names of the classes that a file's metadata tell, as JSON or as Python prints them.

    Example:
        >>> class_names_in_texts({"names": "{0: 'cat', 1: 'dog'}", "task": "classify"})
        ('cat', 'dog')
    """
    read = {key: _read(metadata[key]) for key in (*_BY_NUMBER, *_BY_NAME, *_LISTS) if key in metadata}
    return class_names_in(read)


def _read(text: str) -> Any:
    for parse in (from_json, ast.literal_eval):
        with suppress(ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return parse(text)
    return None


def _names(value: object) -> tuple[str, ...] | None:
    if isinstance(value, list | tuple):
        numbered = dict(enumerate(value))
    elif isinstance(value, Mapping):
        numbered = _numbered(value) or _numbered({number: name for name, number in value.items() if _whole(number)})
    else:
        return None
    names = [numbered[number] for number in sorted(numbered)]
    if len(names) < 2 or any(not isinstance(name, str | int) for name in names):
        return None
    shown = tuple(str(name).strip() for name in names)
    placeholders = all(_PLACEHOLDER.fullmatch(name) for name in shown)
    return None if placeholders or len(set(shown)) < len(shown) else shown


def _numbered(value: Mapping[Any, Any]) -> dict[int, Any]:
    """Return names by number if the keys are 0, 1, ... without a gap, else nothing."""
    if not all(_whole(number) for number in value):
        return {}
    numbered = {int(number): name for number, name in value.items()}
    return numbered if sorted(numbered) == list(range(len(value))) else {}


def _whole(number: object) -> bool:
    return not isinstance(number, bool) and (
        isinstance(number, int) or (isinstance(number, str) and number.isdecimal())
    )
