"""A fix in plain words: what to do, what it gains and costs, and what the data cannot show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairdistill.audit_text import in_words, interval, no_harm, percent
from fairdistill.layout import markdown


def recommendation(said: Mapping[str, Any]) -> str:
    """Return the recommendation as Markdown that is read as it is: what ``fix.json`` holds, in sentences."""
    lines = [f"# {_headline(said)}", "", *_reason(said), ""]
    if len(said["candidates"]) > 1:
        lines += ["## What was tried, on the validation rows", "", _tried(said), ""]
    lines += ["## On the test set, read once", "", *_on_test(said), "", "## What these data can show", ""]
    lines += in_words(said["test_before"])
    lines += [f"{note}." for note in said["notes"]]
    return "\n".join(lines)


def _headline(said: Mapping[str, Any]) -> str:
    if said["chosen"] == "keep":
        return f"Recommendation: keep your model, {said['deployed']}"
    if said["model"]:
        return f"Recommendation: use {said['model']} ({said['said']})"
    return f"Recommendation: use {said['said']}"


def _reason(said: Mapping[str, Any]) -> list[str]:
    gap = said["validation"]["metrics"]["deo_a"]
    shown = f"DEO_A {percent(gap['value'])}% {interval(gap)}"
    if said["why_kept"] == "fair":
        return [
            f"It is already fair on the validation rows: {shown}, and {percent(said['fair_enough'])}% is fair enough "
            "(--fair-enough). Nothing was trained."
        ]
    if said["why_kept"] == "undecided":
        return [
            f"On the validation rows its gap cannot be told from none: {shown}; by chance alone a model without a gap "
            f"would show {percent(gap['floor'])}%. Whatever were trained could not be shown to be fairer there, so "
            "nothing was. Label more validation rows, above all of the smallest cells, or add --anyway."
        ]
    if said["why_kept"] == "best":
        return [f"By the rule, {said['rule']}, nothing that was tried is better on the validation rows ({shown})."]
    if said["why_kept"] == "no gain":
        return [
            f"Its gap on the validation rows is {shown}. The rule, {said['rule']}, would choose another, but its gain "
            "there is no larger than chance explains."
        ]
    promised = said["promised"]
    lines = [
        f"On the validation rows, by the rule {said['rule']}: the gap changes by {_points(promised['deo_a'])}, the "
        f"accuracy by {_points(promised['accuracy'])}."
    ]
    if said["needs_group"]:
        lines.append("The group of each person must be known when it is used.")
    else:
        lines.append("It needs no group when it is used, and takes the images as the table describes them.")
    return lines


def _tried(said: Mapping[str, Any]) -> str:
    rows = [("Model", "Accuracy", "DEO_A", "DEO_M", "Needs the group", "")]
    for each in said["candidates"]:
        values = (percent(each[name], 2) for name in ("accuracy", "deo_a", "deo_m"))
        mark = "chosen" if each["name"] == said["chosen"] else ""
        rows.append((each["name"], *values, "yes" if each["needs_group"] else "no", mark))
    return markdown(rows)


def _on_test(said: Mapping[str, Any]) -> list[str]:
    before = said["test_before"]["metrics"]
    own = ", ".join(
        f"{name} {percent(before[key]['value'])}% {interval(before[key])}"
        for key, name in (("accuracy", "accuracy"), ("deo_a", "DEO_A"), ("deo_m", "DEO_M"))
    )
    lines = [f"Your model, {said['test_before']['rows']:,} rows: {own}."]
    if said["kept"] is None:
        gap = before["deo_a"]
        if said["why_kept"] == "fair" and gap["low"] > said["fair_enough"]:
            lines.append("The test set does not agree that this is fair: its gap is certainly larger.")
        elif said["why_kept"] == "undecided" and gap["low"] > 0:
            lines.append(
                "Here the gap is told from chance, which the validation rows could not: try again with --anyway."
            )
        return lines
    after, change = said["test_after"], said["kept"]
    lines.append(
        f"The recommended one: accuracy {percent(after['accuracy'])}%, DEO_A {percent(after['deo_a'])}%, DEO_M "
        f"{percent(after['deo_m'])}%. The gap changes by {_points(change['deo_a'])}, the accuracy by "
        f"{_points(change['accuracy'])}."
    )
    lines.append(_agreement(said["promised"]["deo_a"], change["deo_a"]))
    return [*lines, *no_harm(change)]


def _agreement(promised: Mapping[str, float], kept: Mapping[str, float]) -> str:
    """Return whether the test set keeps what the validation rows promised."""
    if not kept["high"] < 0:
        return "The test set does not confirm the smaller gap: it cannot be told from none. Do not rely on it."
    if kept["value"] > promised["high"]:
        return "The gap is certainly smaller, though by less than the validation rows promised."
    return "That lies within what the validation rows promised."


def _points(change: Mapping[str, float]) -> str:
    return f"{100 * change['value']:+.1f} points {interval(change)}"
