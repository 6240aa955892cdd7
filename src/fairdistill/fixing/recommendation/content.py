"""What the page and the model card of a fix show: a result in the form that ``reporting`` reads."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import yaml

from fairdistill.auditing import AuditResult
from fairdistill.fixing.options import FixOptions
from fairdistill.fixing.recommendation import advice, evidence
from fairdistill.fixing.recommendation.subject import Subject
from fairdistill.fixing.recommendation.wording import headline, paragraphs
from fairdistill.fixing.result import FixResult
from fairdistill.reporting.recommendation import FrontPoint, OnTest, Recommendation

_OF_MODEL = ("model", "weights_key", "model_size", "model_mean", "model_std", "model_input")
_SEARCH = (
    "rule", "budget", "fair_enough", "students", "epochs", "init", "batch_size", "lr", "seed", "group_at_use",
)  # fmt: skip


def content_of(result: FixResult, subject: Subject) -> Recommendation:
    """Return what the page and the card show of a fix."""
    test, options = result.test_before, subject.options
    file = result.model if result.verdict == "use" else result.deployed
    if subject.of_tables:
        file = None
    return Recommendation(
        verdict=result.verdict,
        headline=headline(result),
        paragraphs=tuple(paragraphs(result)),
        cautions=tuple(evidence.sureness(result)),
        more=tuple(advice.remedies(result)),
        deployed=result.deployed,
        file=file,
        command=None if file is None else _command(file, options),
        layer=result.layer if result.verdict == "use" else None,
        needs_group=result.verdict == "use" and result.needs_group,
        group_at_use=result.group_at_use,
        use=result.use if result.verdict == "use" else None,
        before=_on_test(test),
        after=None if result.test_after is None else _on_test(result.test_after),
        change=result.kept,
        worst_change=result.kept_worst_subgroup,
        candidates=tuple(replace(each, name=advice.shown_name(each)) for each in result.candidates),
        chosen=advice.shown_name(result.candidate(result.chosen)),
        points=tuple(
            FrontPoint(
                label=advice.shown_name(each), family=each.family, balanced_accuracy=each.balanced_accuracy,
                deo_a=each.deo_a, on_front=each.on_front, chosen=each.chosen,
            )
            for each in result.points
        ),
        rule=result.rule,
        costs=(*(advice.costs(result) if result.verdict == "use" else ()), advice.searched_in_words(result)),
        data=" ".join([options.data, *(f"{name}={value}" for name, value in subject.data_options.items())]),
        class_names=test.class_names,
        group_names=test.group_names,
        rows=test.rows,
        sources=test.sources,
        cells=tuple(map(tuple, np.asarray(test.counts).sum(axis=2).tolist())),
        sizing=test.sizing,
        notes=result.notes,
        confidence=test.confidence,
        model=test.model,
        intended_use=options.intended_use,
        made_with=(subject.made_with,),
        settings=yaml.safe_dump(_settings(result, options), sort_keys=False, allow_unicode=True),
    )  # fmt: skip


def _on_test(audited: AuditResult) -> OnTest:
    metrics = audited.metrics
    found = {(cell.group, cell.class_name): cell.accuracy.value for cell in audited.cells}
    return OnTest(
        accuracy=metrics.accuracy,
        balanced_accuracy=metrics.balanced_accuracy,
        worst_subgroup=metrics.worst_cell,
        deo_a=metrics.deo_a,
        deo_m=metrics.deo_m,
        cells=tuple(
            tuple(found.get((group, name), float("nan")) for name in audited.class_names)
            for group in audited.group_names
        ),
    )


def _command(file: str, options: FixOptions) -> str:
    """Return a command that audits a file on the same test images."""
    given = {name: getattr(options, name) for name in _OF_MODEL}
    given |= {"data": options.data, "data_root": options.data_root, **options.data_options, "rows": "test"}
    flags = [flag for name, value in given.items() if value is not None for flag in _flags(name, value)]
    return " ".join(["fairdistill audit", shlex.quote(file), *flags])


def _flags(name: str, value: Any) -> list[str]:
    """Return an option as it is written in a shell."""
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    if isinstance(value, Mapping):
        return [f"--{flag} {shlex.quote(f'{key}={item}')}" for key, item in value.items()]
    return [f"--{flag} {shlex.quote(str(value))}"]


def _settings(result: FixResult, options: FixOptions) -> dict[str, Any]:
    search = {name: value for name, value in asdict(options).items() if name in _SEARCH}
    return {"search": {**search, "rule": result.rule}, "chosen": {"name": result.chosen, **dict(result.settings or {})}}
