"""The record of every reading of the test set, in the folder of a fix."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairdistill.contract import Result
from fairdistill.runs import read_json, write_json

_READS = "test-reads.json"


@dataclass(frozen=True, kw_only=True)
class TestRead(Result):
    """An earlier reading of the test set in the same folder, for another candidate.

    Attributes:
        chosen: the candidate; ``keep`` is the deployed model.
        rule: the rule that chose it.
    """

    __test__ = False  # not a class of tests

    chosen: str
    rule: str


def record_reading(
    out: Path, chosen: str, rule: str, *, settings: Mapping[str, Any] | None = None
) -> tuple[TestRead, ...]:
    """Record that the test set is about to be read for a candidate; return the earlier readings for other ones.

    Every reading counts, also the one that ends with keeping the deployed model, whose predictions all of them include.

    Args:
        out: the folder of the fix.
        chosen: name of the candidate.
        rule: the rule that chose it.
        settings: what tells it from other candidates of its name, such as the steps that a student was trained for.
    """
    file = out / _READS
    reads: list[dict[str, Any]] = read_json(file)["reads"] if file.exists() else []
    new = {"chosen": chosen, "rule": rule}
    if settings is not None:
        new["settings"] = json.dumps(settings, sort_keys=True)
    others = [each for each in reads if (each["chosen"], each.get("settings")) != (chosen, new.get("settings"))]
    if len(others) == len(reads):
        write_json(file, {"reads": [*reads, new]})
    return tuple(TestRead(chosen=each["chosen"], rule=each["rule"]) for each in others)
