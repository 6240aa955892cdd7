"""The options that determine what a run computes, as opposed to where and how fast."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from fairdistill import data
from fairdistill.methods import parts
from fairdistill.models.own_source import changed_since_import, code_digests
from fairdistill.runs import without_defaults
from fairdistill.training.options import TrainOptions

_PLACE_AND_SPEED = (
    "data_root", "out", "teacher", "device", "threads", "compile", "cuda_graph", "cache_memory", "cache_dir",
    "teacher_cache", "logger",
)  # fmt: skip


def identity_of(options: TrainOptions) -> dict[str, Any]:
    """Return the resolved options of a run, without those that only change where or how fast it is computed.

    The teacher is left out too, since its path does not identify its weights. Code of the user's own counts by its
    content.
    """
    known = without_defaults(asdict(options), keep=options.rules.keeps)
    found = {name: value for name, value in known.items() if name not in _PLACE_AND_SPEED}
    found["data_options"] = identity_of_data(options)
    code = code_of(options)
    return {**found, "code": code} if code else found


def code_of(options: TrainOptions) -> dict[str, str]:
    """Return a hash of each file of the user's own code that a run is trained with; see :func:`code_digests`."""
    return code_digests(*_named(options))


def stale_code_of(options: TrainOptions) -> list[str]:
    """Return the files of that code that have changed since this process imported them."""
    return changed_since_import(*_named(options))


def _named(options: TrainOptions) -> tuple[str | None, ...]:
    return options.model, options.teacher_model, *parts(options.method)


def identity_of_data(options: TrainOptions) -> dict[str, Any]:
    """Return the data set's options of a run, without those that only change where or how fast it is read."""
    own = fields(data.entry(options.data).options)
    left_out = {option.name for option in own if not option.metadata.get("identity", True)}
    return {name: value for name, value in options.data_options.items() if name not in left_out}
