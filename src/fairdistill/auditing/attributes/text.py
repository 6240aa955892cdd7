"""An audit of several attributes as text for a terminal, in percent."""

from __future__ import annotations

from collections import Counter

from fairdistill.auditing.attributes.result import AttributesResult
from fairdistill.auditing.limit_text import limit_of
from fairdistill.auditing.text import COLLAPSED, chance
from fairdistill.auditing.values import place_of
from fairdistill.text.numbers import interval, percent, signed
from fairdistill.text.sentences import capitalized
from fairdistill.text.tables import aligned


def render(result: AttributesResult) -> str:
    """Return a row for each attribute, the limits, and what to know about the largest gap."""
    first = result.attributes[0].audit
    lines = [
        f"{result.where}: {result.rows:,} samples, {len(result.attributes)} attributes, "
        f"{len(first.group_names)} groups",
        "",
        *aligned(rows_of(result), left=(0, 10)),
        about_intervals(result),
        *(["", *aligned(changes)] if (changes := changes_of(result)) else []),
        "",
        *collapsed_in_words(result),
        largest(result),
        *(f"Limit {limit}: {said}." for limit, said in kept_by(result)),
        *(first.model.in_words() if first.model is not None else ()),
        *(f"{note}." for note in notes_of(result)),
        "The JSON has the full audit of each attribute; to print one, audit it alone.",
    ]
    return "\n".join(lines)


def rows_of(result: AttributesResult) -> list[list[str]]:
    """Return a header and a row for each attribute: the share of yes, accuracy, DEO and the worst subgroup."""
    rows = [["Attribute", "yes", "accuracy", "", "DEO_A", "", "by chance alone", "DEO_M", "", "worst subgroup", ""]]
    for each in result.attributes:
        found = each.audit.metrics
        worst, deo_a, deo_m = found.worst_cell, found.deo_a, found.deo_m
        yes = next(named.rows for named in each.audit.classes if named.class_name == each.positive)
        rows.append(
            [
                each.attribute, f"{percent(yes / each.audit.rows)}%", percent(found.accuracy.value),
                interval(found.accuracy), percent(deo_a.value), interval(deo_a), chance(deo_a), percent(deo_m.value),
                interval(deo_m), percent(worst.value), place_of(worst),
            ]
        )  # fmt: skip
    return rows


def changes_of(result: AttributesResult) -> list[list[str]]:
    """Return a header and a row for each attribute: its change against the other model; empty without one."""
    rows: list[list[str]] = []
    for each in result.attributes:
        if (change := each.audit.against) is None:
            continue
        if not rows:
            where = "" if change.where is None else f" against {change.where}"
            rows.append([f"Change{where}, points", "accuracy", "", "DEO_A", "", "worse subgroups", "better"])
        worse, better = (sum(getattr(cell, how) for cell in change.cells) for how in ("harmed", "helped"))
        rows.append(
            [
                each.attribute, signed(change.accuracy.value), interval(change.accuracy), signed(change.deo_a.value),
                interval(change.deo_a), f"{worse} of {len(change.cells)}", f"{better} of {len(change.cells)}",
            ]
        )  # fmt: skip
    return rows


def about_intervals(result: AttributesResult) -> str:
    """Return what the intervals in the table are."""
    confidence = result.attributes[0].audit.confidence
    return f"In brackets: {100 * confidence:g}% intervals, each for its attribute alone."


def largest(result: AttributesResult) -> str:
    """Return which attribute has the largest gap, and what that means."""
    if result.worst is None:
        return "DEO is undefined for every attribute: a subgroup has no samples."
    several = f"; the largest of {len(result.attributes)} gaps is larger by chance than any one of them"
    return f"Largest DEO_A: {result.worst}{several}."


def collapsed_in_words(result: AttributesResult) -> list[str]:
    """Return for which attributes the model gives one answer alone, so that their gap of 0 means nothing."""
    names = [each.attribute for each in result.attributes if each.audit.collapsed]
    if not names:
        return []
    return [f"{', '.join(names)}: {COLLAPSED}."]


def kept_by(result: AttributesResult, *, words: bool = False) -> list[tuple[str, str]]:
    """Return each limit, in words if wanted, and which attributes keep it."""
    lines = []
    for at, limit in enumerate(result.attributes[0].audit.limits):
        said: dict[str, list[str]] = {"beyond": [], "undecided": [], "within": []}
        for each in result.attributes:
            said[each.audit.limits[at].verdict].append(each.attribute)
        words_of = {**_SAID, "beyond": "not met"} if limit.kind == "min" else _SAID
        parts = [f"{words_of[verdict]}: {', '.join(names)}" for verdict, names in said.items() if names]
        lines.append((limit_of(limit, words=words), "; ".join(parts)))
    return lines


_SAID = {"beyond": "exceeded", "undecided": "undecided", "within": "met"}


def notes_of(result: AttributesResult) -> list[str]:
    """Return the notes on all attributes, once each; those on some of them name these."""
    times: Counter[str] = Counter(note for each in result.attributes for note in dict.fromkeys(each.audit.notes))
    common = [note for note, count in times.items() if count == len(result.attributes)]
    of_all = [capitalized(note) for note in (*result.notes, *common)]
    own = [f"{each.attribute}: {note}" for each in result.attributes for note in each.audit.notes if note not in common]
    return [*of_all, *own]
