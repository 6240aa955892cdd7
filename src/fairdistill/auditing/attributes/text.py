"""An audit of several attributes as text for a terminal, in percent."""

from __future__ import annotations

import math
from collections import Counter

from fairdistill.auditing.attributes.result import AttributesResult
from fairdistill.auditing.limit_text import limit_of
from fairdistill.metrics import Gap
from fairdistill.text.numbers import interval, percent
from fairdistill.text.tables import aligned


def render(result: AttributesResult) -> str:
    """Return a row for each attribute, the limits, and what to know about the largest gap."""
    first = result.attributes[0].audit
    lines = [
        f"{result.where}: {result.rows:,} samples, {len(result.attributes)} attributes, "
        f"{len(first.group_names)} groups",
        "",
        *_table(result, first.confidence),
        "",
        *_worst(result),
        *_limits(result),
        *(first.model.in_words() if first.model is not None else ()),
        *(f"{note}." for note in _notes(result)),
        f"Everything about one of them: --label {result.worst or result.attributes[0].attribute}, or its part of the "
        "JSON.",
    ]
    return "\n".join(lines)


def _table(result: AttributesResult, confidence: float) -> list[str]:
    rows = [["Attribute", "yes", "accuracy", "", "DEO_A", "", "by chance alone", "DEO_M", "", "worst subgroup", ""]]
    for each in result.attributes:
        found = each.audit.metrics
        worst, deo_a, deo_m = found.worst_cell, found.deo_a, found.deo_m
        yes = next(named.rows for named in each.audit.classes if named.class_name == each.positive)
        which = ", ".join(name for name in (worst.class_name, worst.group) if name is not None)
        rows.append(
            [
                each.attribute, f"{percent(yes / each.audit.rows)}%", percent(found.accuracy.value),
                interval(found.accuracy), percent(deo_a.value), interval(deo_a), _chance(deo_a), percent(deo_m.value),
                interval(deo_m), percent(worst.value), which,
            ]
        )  # fmt: skip
    alone = f"In brackets: {100 * confidence:g}% intervals, each for its attribute alone."
    return [*aligned(rows, left=(0, 10)), alone]


def _chance(gap: Gap) -> str:
    if math.isnan(gap.floor):
        return ""
    return f"{percent(gap.floor)} [{percent(gap.floor_low)}, {percent(gap.floor_high)}]"


def _worst(result: AttributesResult) -> list[str]:
    if result.worst is None:
        return ["DEO is undefined for every attribute: a subgroup has no samples."]
    several = f"; the largest of {len(result.attributes)} gaps is larger by chance than any one of them"
    return [f"Largest DEO_A: {result.worst}{several}."]


def _limits(result: AttributesResult) -> list[str]:
    lines = []
    for at, limit in enumerate(result.attributes[0].audit.limits):
        said: dict[str, list[str]] = {"beyond": [], "undecided": [], "within": []}
        for each in result.attributes:
            said[each.audit.limits[at].verdict].append(each.attribute)
        parts = [f"{_SAID[verdict]}: {', '.join(names)}" for verdict, names in said.items() if names]
        lines.append(f"Limit {limit_of(limit)}: {'; '.join(parts)}.")
    return lines


_SAID = {"beyond": "exceeded", "undecided": "undecided", "within": "kept"}


def _notes(result: AttributesResult) -> list[str]:
    """Return the notes on all attributes, once each; those on some of them name these."""
    times: Counter[str] = Counter(note for each in result.attributes for note in dict.fromkeys(each.audit.notes))
    common = [note for note, count in times.items() if count == len(result.attributes)]
    of_all = [f"{note[0].upper()}{note[1:]}" for note in (*result.notes, *common)]
    own = [f"{each.attribute}: {note}" for each in result.attributes for note in each.audit.notes if note not in common]
    return [*of_all, *own]
