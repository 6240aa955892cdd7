"""A fix in plain words: what to do, what it gains and costs, and what the data cannot show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairdistill.auditing.text import in_words, interval, no_harm, percent
from fairdistill.choosing import gain
from fairdistill.metrics.names import METRICS
from fairdistill.text.tables import markdown


def recommendation(said: Mapping[str, Any]) -> str:
    """Return the recommendation as Markdown that is read as it is: what ``fix.json`` holds, in sentences."""
    lines = [f"# {_headline(said)}", "", *_reason(said), ""]
    if len(said["candidates"]) > 1:
        lines += ["## What was tried, on the validation rows (percent)", "", _tried(said), "", *_explained(said), ""]
    once = ", read once" if not said["test_read_before"] else ""
    lines += [f"## On the test set{once}", "", *_on_test(said), "", "## What these data can show", ""]
    if said["test_after"] is not None:
        lines += ["Of the chosen one:", *in_words(said["test_after"]), "", "Of your present model:"]
    lines += in_words(said["test_before"])
    lines += [f"{note}." for note in said["notes"]]
    return "\n".join(lines)


def _headline(said: Mapping[str, Any]) -> str:
    if said["chosen"] == "keep":
        return f"Recommendation: keep your model, {said['deployed']}"
    if not said["confirmed"]:
        return (
            f"Recommendation: keep your model, {said['deployed']}; {said['chosen']} looked better on the validation "
            "rows, but the test set does not confirm it"
        )
    use = f"use {said['model']} ({said['said']})" if said["model"] else f"use {said['said']}"
    harmed = sum(cell["harmed"] for cell in said["kept"]["cells"])
    but = f", but it harms {harmed} of {len(said['kept']['cells'])} cells: see below" if harmed else ""
    return f"Recommendation: {use}{but}"


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
        return [
            f"By the rule, {said['rule']}, nothing that was tried is better on the validation rows ({shown}).",
            *_outside_the_rule(said),
        ]
    if said["why_kept"] == "no gain":
        dropped = said["dropped"]
        lines = [
            f"Its gap on the validation rows is {shown}. The rule, {said['rule']}, would choose {dropped['name']}, but "
            f"its gain there is no larger than chance explains: the {METRICS[said['metric']]} changes by "
            f"{_points(dropped['change'][said['metric']])}."
        ]
        if said["breaks_rule"]:
            lines.append(f"Your model itself does not keep the rule: {', '.join(said['breaks_rule'])}.")
        return lines
    promised = said["promised"]
    lines = [
        f"On the validation rows, by the rule {said['rule']}: the gap changes by {_points(promised['deo_a'])}, the "
        f"accuracy by {_points(promised['accuracy'])}. It is the best of {len(said['candidates'])}, so these values "
        "are a little too good."
    ]
    if said["needs_group"]:
        lines.append(f"The group of each person must be known when it is used: {said['use']}.")
    else:
        lines.append("It needs no group when it is used.")
    return lines


def _outside_the_rule(said: Mapping[str, Any]) -> list[str]:
    """Return which candidates would be better, had the rule not forbidden them."""
    own = said["candidates"][0]
    return [
        f"{each['name']} has a better {METRICS[said['metric']]}, {percent(each[said['metric']], 2)}%, but breaks the "
        f"rule: {', '.join(each['breaks_rule'])}."
        for each in said["candidates"]
        if each["breaks_rule"] and not each["needs_group"] and gain(each, own, said["metric"]) > 0
    ]


def _tried(said: Mapping[str, Any]) -> str:
    rows = [("Model", "Accuracy", "DEO_A", "DEO_M", "Needs the group", "")]
    for each in said["candidates"]:
        values = (percent(each[name], 2) for name in ("accuracy", "deo_a", "deo_m"))
        mark = "chosen" if each["name"] == said["chosen"] else ""
        rows.append((each["name"], *values, "yes" if each["needs_group"] else "no", mark))
    return markdown(rows)


def _explained(said: Mapping[str, Any]) -> list[str]:
    return [f"* {each['name']}: {each['said']}" for each in said["candidates"]]


def _on_test(said: Mapping[str, Any]) -> list[str]:
    lines = [
        f"The test set was read before, for {each['chosen']} (rule {each['rule']}): this reading is no independent "
        "check."
        for each in said["test_read_before"]
    ]
    lines.append(f"Your model, {said['test_before']['rows']:,} rows: {_values(said['test_before'])}.")
    if said["kept"] is None:
        gap = said["test_before"]["metrics"]["deo_a"]
        if said["why_kept"] == "fair" and gap["low"] > said["fair_enough"]:
            lines.append("The test set does not agree that this is fair: its gap is certainly larger.")
        elif said["why_kept"] == "undecided" and gap["low"] > 0:
            lines.append("Here the gap is told from chance, which the validation rows could not.")
        return lines
    change = said["kept"]
    lines.append(f"The chosen one: {_values(said['test_after'])}.")
    lines.append(
        f"The gap changes by {_points(change['deo_a'])}, the accuracy by {_points(change['accuracy'])}. "
        + _agreement(said)
    )
    return [*lines, *no_harm(change)]


def _values(audited: Mapping[str, Any]) -> str:
    metrics = audited["metrics"]
    return ", ".join(
        f"{title} {percent(metrics[name]['value'])}% {interval(metrics[name])}"
        for name, title in (("accuracy", "accuracy"), ("deo_a", "DEO_A"), ("deo_m", "DEO_M"))
    )


def _agreement(said: Mapping[str, Any]) -> str:
    """Return whether the test set keeps what the validation rows promised, in the metric that was chosen by."""
    promised, kept = said["promised"][said["metric"]], said["kept"][said["metric"]]
    if not said["confirmed"]:
        return "The test set does not confirm the gain: it cannot be told from none."
    better = 1 if said["metric"] == "accuracy" else -1
    least, most = sorted((better * promised["low"], better * promised["high"]))
    if better * kept["value"] < least:
        return "The gain is real, though less than the validation rows promised."
    if better * kept["value"] > most:
        return "The gain is larger than the validation rows promised."
    return "That lies within what the validation rows promised."


def _points(change: Mapping[str, float]) -> str:
    return f"{100 * change['value']:+.1f} points {interval(change)}"
