"""A fix in plain words: what to do, what it gains and costs, and what the data cannot show."""

from __future__ import annotations

from fairdistill.auditing import AuditResult
from fairdistill.auditing.model_text import model_in_words
from fairdistill.auditing.text import in_words, no_harm
from fairdistill.fixing.result import FixResult, in_metric
from fairdistill.metrics import METRICS, Change, improvement
from fairdistill.text.numbers import interval, percent, signed
from fairdistill.text.tables import markdown


def render(result: FixResult) -> str:
    """Return the recommendation as Markdown that reads well as it is."""
    lines = [f"# Recommendation: {_headline(result)}", "", *_reason(result), ""]
    if len(result.candidates) > 1:
        lines += ["## Candidates on the validation set (percent)", "", _tried(result), "", *_described(result), ""]
    once = "" if result.test_read_before else " (read once)"
    lines += [f"## Results on the test set{once}", "", *_on_test(result), "", "## What the test set can show", ""]
    if result.test_after is not None:
        lines += [f"{result.chosen}:", *in_words(result.test_after), "", "Your model:"]
    lines += in_words(result.test_before)
    lines += model_in_words(result.test_before)
    lines += [f"{note}." for note in result.notes]
    return "\n".join(lines)


def _headline(result: FixResult) -> str:
    keep = f"keep your model, {result.deployed}"
    if result.keeps:
        return keep
    if not result.confirmed:
        return f"{keep}; {result.chosen} did better on the validation set, but the test set does not confirm it"
    assert result.kept is not None
    what = _description(result.chosen, result.description)
    use = f"use {result.model} ({what})" if result.model else f"use {what}"
    cells = result.kept.cells
    harmed = sum(cell.harmed for cell in cells)
    but = f", but {harmed} of {len(cells)} subgroups got significantly worse (see below)" if harmed else ""
    return f"{use}{but}"


def _reason(result: FixResult) -> list[str]:
    gap = result.validation.deo_a
    shown = f"DEO_A {percent(gap.value)}% {interval(gap)}"
    if result.why_kept == "fair":
        return [
            f"Your model is fair enough on the validation set: {shown} is within the limit of "
            f"{percent(result.fair_enough)}% (--fair-enough). Nothing was trained."
        ]
    if result.why_kept == "undecided":
        return [
            f"On the validation set, your model's gap ({shown}) is within what chance alone would produce: a perfectly "
            f"fair model would show {percent(gap.floor)}% on average. With so few validation images no improvement "
            "could be demonstrated, so nothing was trained. Label more validation images, especially in the smallest "
            "subgroups, or search all the same with --anyway."
        ]
    if result.why_kept == "best":
        return [
            f"By the rule `{result.rule}`, no candidate beats your model on the validation set ({shown}).",
            *_outside_the_rule(result),
        ]
    if result.dropped is not None:
        dropped, change = result.dropped, in_metric(result.dropped.change, result.metric)
        lines = [
            f"On the validation set, your model has {shown}. The rule `{result.rule}` picks {dropped.name}, but its "
            f"gain is not statistically significant: {METRICS[result.metric]} changes by {_points(change)}."
        ]
        if result.breaks_rule:
            lines.append(f"Your model itself breaks the rule: {', '.join(result.breaks_rule)}.")
        return lines
    assert result.promised is not None
    promised = result.promised
    lines = [
        f"By the rule `{result.rule}`, {result.chosen} is the best of {len(result.candidates)} candidates on the "
        f"validation set: DEO_A changes by {_points(promised.deo_a)} and accuracy by {_points(promised.accuracy)}, "
        "compared with your model. These numbers are slightly optimistic because the choice was based on them."
    ]
    if result.needs_group:
        lines.append(f"To use it, you need to know each person's group: {_use(result)}.")
    else:
        lines.append("You do not need to know a person's group to use it.")
    return lines


def _outside_the_rule(result: FixResult) -> list[str]:
    """Return which candidates would be better if the rule allowed them."""
    own, metric = result.candidates[0], result.metric
    return [
        f"{each.name} has a better {METRICS[metric]} ({percent(each[metric], 2)}%) but breaks the rule: "
        f"{', '.join(each.breaks_rule)}."
        for each in result.candidates
        if each.breaks_rule and not each.needs_group and improvement(metric, each[metric] - own[metric]) > 0
    ]


def _description(name: str, recorded: str) -> str:
    """Return what a candidate is; the sentence in ``fix.json`` belongs to its format."""
    return "a new model trained on batches that are balanced over classes and groups" if name == "ss" else recorded


def _use(result: FixResult) -> str:
    """Return how to decide with a correction."""
    settings = result.settings or {}
    if "thresholds" in settings:
        limits = ", ".join(f"{threshold:.4g} for {group}" for group, threshold in settings["thresholds"].items())
        second = result.validation.class_names[1]
        return f"predict {second!r} if its probability is above {limits}; use 0.5 if the group is unknown"
    return (
        "add the offsets of the person's group (`settings` in fix.json) to the logarithms of the class probabilities "
        "and predict the class with the largest sum; if the group is unknown, keep the model's own prediction"
    )


def _tried(result: FixResult) -> str:
    rows = [["Candidate", "Accuracy", "DEO_A", "DEO_M", "Needs the group", ""]]
    for each in result.candidates:
        values = [percent(value, 2) for value in (each.accuracy, each.deo_a, each.deo_m)]
        mark = "chosen" if each.name == result.chosen else ""
        rows.append([each.name, *values, "yes" if each.needs_group else "no", mark])
    return markdown(rows)


def _described(result: FixResult) -> list[str]:
    return [f"* {each.name}: {_description(each.name, each.description)}" for each in result.candidates]


def _on_test(result: FixResult) -> list[str]:
    lines = [
        f"The test set was already read for {each.chosen} (rule `{each.rule}`), so this is not an independent check."
        for each in result.test_read_before
    ]
    before, change = result.test_before, result.kept
    lines.append(f"Your model, {before.rows:,} images: {_values(before)}.")
    if change is None:
        if result.why_kept == "fair" and before.deo_a.low > result.fair_enough:
            lines.append("The test set contradicts this: its gap is significantly above the limit.")
        elif result.why_kept == "undecided" and before.deo_a.low > 0:
            lines.append("On the test set the gap is significant, unlike on the validation set.")
        return lines
    assert result.test_after is not None
    lines.append(f"{result.chosen}: {_values(result.test_after)}.")
    lines.append(
        f"DEO_A changes by {_points(change.deo_a)} and accuracy by {_points(change.accuracy)}. {_agreement(result)}"
    )
    return [*lines, *no_harm(change)]


def _values(audited: AuditResult) -> str:
    metrics = (("accuracy", audited.accuracy), ("DEO_A", audited.deo_a), ("DEO_M", audited.deo_m))
    return ", ".join(f"{title} {percent(metric.value)}% {interval(metric)}" for title, metric in metrics)


def _agreement(result: FixResult) -> str:
    """Return whether the test set confirms what the validation set promised, in the metric of the rule."""
    assert result.promised is not None
    assert result.kept is not None
    promised, kept = in_metric(result.promised, result.metric), in_metric(result.kept, result.metric)
    if not result.confirmed:
        chance = " because the change is within what chance alone would produce" if kept.low <= 0 <= kept.high else ""
        return f"The test set does not confirm the gain{chance}."
    least, most = sorted(improvement(result.metric, end) for end in (promised.low, promised.high))
    gained = improvement(result.metric, kept.value)
    if gained < least:
        return "The gain is real, but smaller than on the validation set."
    if gained > most:
        return "The gain is larger than on the validation set."
    return "This agrees with the validation set."


def _points(change: Change) -> str:
    return f"{signed(change.value)} points {interval(change)}"
