"""What must be equal for a search to continue a study: all but its extent, the choice, the machine and the speed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from fairdistill import data
from fairdistill._version import __version__
from fairdistill.training import TrainOptions, identity_of
from fairdistill.tuning.space import OPTIONS, Search

_DIGESTS = {
    "data": "different training data",
    "split": "different validation data",
    "test": "different test data",
    "teacher": "a different teacher",
}


def identity(
    options: TrainOptions, digests: Mapping[str, str | None], *, search: Search, objectives: tuple[str, ...]
) -> dict[str, Any]:
    """Return what identifies a study, the same on every machine.

    Args:
        options: of a trial, resolved.
        digests: hashes of the data and of the teacher; their paths may differ.
        search: the search space and the sampler.
        objectives: the metrics of the Pareto front.
    """
    found = identity_of(options)
    own = fields(data.entry(options.data).options)
    paths = {option.name for option in own if option.metadata.get("path")}
    found["data"] = Path(options.data).name
    found["init"] = Path(options.init).name
    found["data_options"] = {name: value for name, value in found["data_options"].items() if name not in paths}
    found["set"] = {name: value for name, value in found["set"].items() if name not in search.space}
    for name in OPTIONS.keys() & search.space.keys():
        del found[name]
    head = {"method": found.pop("method"), "data": found.pop("data"), "objectives": ", ".join(objectives)}
    searched = {"search": search.shown, "sampler": search.sampler}
    whole = {**head, **searched, **found, "fairdistill": __version__, "digests": dict(digests)}
    read_back: dict[str, Any] = json.loads(json.dumps(whole, default=str))
    return read_back


def difference(then: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """Return in words how a study differs from the requested one; None if they are the same.

    Example:
        >>> difference({"steps": 60, "set": {"mfd.bandwidth": 1.0}}, {"steps": 80, "set": {"mfd.bandwidth": 1.0}})
        'steps 60, not 80'
        >>> difference({"digests": {"teacher": "a3"}}, {"digests": {"teacher": "c7"}})
        'a different teacher'
    """
    before, after = _flat(then), _flat(now)
    for name in dict.fromkeys((*after, *before)):
        old, new = before.get(name), after.get(name)
        if old != new:
            part, _, inner = name.partition(" ")
            if part == "code":
                return f"another version of {inner}, your own code"
            return _DIGESTS[inner] if part == "digests" else f"{name} {_shown(old)}, not {_shown(new)}"
    return None


def _flat(content: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, Mapping):
            flat.update({f"{name} {inner}": item for inner, item in value.items()})
        else:
            flat[name] = value
    return flat


def _shown(value: Any) -> str:
    return "none" if value is None else str(value)
