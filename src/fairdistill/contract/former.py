"""Names from earlier versions, which are still read: in run folders, in YAML files and on the command line.

Each method's term now has the method's name. Nothing is written under a former name, with one exception: the
identity of a job of ``fairdistill bench`` is computed from the former names, so that existing grids keep their jobs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

V = TypeVar("V")

FORMER_TERMS: Mapping[str, str] = {"mmd": "mfd", "self_mmd": "mfd-self"}
"""Former name of a term and its present one: in ``set`` (``mmd.strength``), in the loss parts of ``log.jsonl``, and in
the keys of a checkpoint."""

_FORMER_OF = {present: former for former, present in FORMER_TERMS.items()}


def present_names(values: Mapping[str, V]) -> dict[str, V]:
    """Return values by term, or by ``term.setting``, under today's names; of duplicates the last is kept.

    Example:
        >>> present_names({"mmd.strength": 3.0, "kd.temperature": 1.0})
        {'mfd.strength': 3.0, 'kd.temperature': 1.0}
        >>> present_names({"ce": 1.1, "self_mmd": 0.2})
        {'ce': 1.1, 'mfd-self': 0.2}
    """
    return {_renamed(name, FORMER_TERMS): value for name, value in values.items()}


def former_names(values: Mapping[str, V]) -> dict[str, V]:
    """Return values by term, or by ``term.setting``, under the names that earlier versions wrote.

    Example:
        >>> former_names({"mfd.strength": 3.0, "kd.temperature": 1.0})
        {'mmd.strength': 3.0, 'kd.temperature': 1.0}
    """
    return {_renamed(name, _FORMER_OF): value for name, value in values.items()}


def _renamed(name: str, terms: Mapping[str, str]) -> str:
    term, dot, setting = name.partition(".")
    return terms.get(term, term) + dot + setting
