"""An audit as text for a terminal, in percent."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fairdistill.auditing.limit_text import hardly, limits_in_words
from fairdistill.auditing.result import AuditMetrics, AuditResult, Correction, ModelChange
from fairdistill.auditing.score_text import group_scores, score_rows
from fairdistill.auditing.sizing import sizing_in_words
from fairdistill.auditing.subgroup_text import complete_in_words, few_samples
from fairdistill.auditing.values import place_of
from fairdistill.escaping import brief, one_line
from fairdistill.metrics import Calibration, Estimate, Gap, GapChange
from fairdistill.text.lists import listed
from fairdistill.text.numbers import interval, p_value, percent, signed
from fairdistill.text.sentences import capitalized
from fairdistill.text.tables import aligned

COLLAPSED = "the model predicts a single class for every sample, so its gap of 0 says nothing about fairness"
_SHOWN_SUBGROUPS = 12
_DESIGNS = {
    "random": "Intervals treat the test set as sampled at random within each group (--design random).",
    "balanced": "Intervals take the number of samples in each subgroup as planned (--design balanced).",
}


def render(result: AuditResult) -> str:
    """Return an audit as text."""
    lines = [_heading(result), "", *_metrics(result.metrics, result.confidence), _DESIGNS[result.design]]
    lines += [
        "",
        *_groups(result),
        "",
        *group_scores(result),
        "",
        *_classes(result),
        *few_samples(result),
        "",
        *map(one_line, in_words(result)),
    ]
    lines += [] if result.model is None else result.model.in_words()
    lines += [f"{brief(note)}." for note in result.notes]
    lines += map(one_line, limits_in_words(result))
    if result.against is not None:
        lines += ["", *_change(result.against)]
    if result.posthoc is not None:
        lines += ["", *_corrections(result.posthoc)]
    return "\n".join(lines)


def in_words(result: AuditResult) -> list[str]:
    """Return what an audit means, in plain sentences."""
    gap = result.deo_a
    empty = [f"{result.class_names[label]} of {result.group_names[group]}" for group, label in result.empty_cells]
    if empty:
        shown = listed(empty, 8, separator="; ")
        return [f"The test set has no sample of {shown}, so the DEO is undefined.", *complete_in_words(result)]
    lines = []
    if result.collapsed:
        lines.append(f"{capitalized(COLLAPSED)}.")
    elif result.hardly_predicted:
        lines.append(
            f"The model hardly ever predicts {hardly(result)}, whatever the group, so a gap near 0 in "
            f"{'this class' if len(result.hardly_predicted) == 1 else 'these classes'} says nothing about fairness."
        )
    lines.append(
        f"Averaged over the classes, the groups differ by {percent(gap.value)} points. On this test set, a model "
        f"without any gap would show {chance(gap)} by chance."
    )
    if gap.low > 0:
        least, most = percent(gap.low), percent(gap.high)
        ends = f"at most {most}" if least == "0.0" else f"between {least} and {most}"
        lines.append(
            f"So the gap is real (p {p_value(gap.p_value)}); the bias-corrected estimate is {percent(gap.estimate)} "
            f"points, {ends}."
        )
    else:
        lines.append(
            "This gap is within what chance alone would produce; the true gap could be as large as "
            f"{percent(gap.high)} points."
        )
    return [*lines, *sizing_in_words(result.sizing)]


def no_harm(change: ModelChange) -> list[str]:
    """Return the effect of a change on each subgroup, in sentences, naming levelling down where it happens."""
    lines = []
    harmed = [cell for cell in change.cells if cell.harmed]
    helped = [cell for cell in change.cells if cell.helped]
    if harmed:
        each = [f"{cell.class_name} of {cell.group} ({signed(cell.value)})" for cell in harmed]
        shown = listed(each, _SHOWN_SUBGROUPS, separator="; ")
        lines.append(f"Significantly worse, corrected for the number of subgroups: {shown}.")
    else:
        lines.append("No subgroup got significantly worse. Harm to a very small subgroup could go undetected.")
    lines.append(f"{len(helped)} of {len(change.cells)} subgroups got significantly better.")
    lines = list(map(one_line, lines))
    return [*lines, *_levelling(change)] if change.shrank else lines


def _levelling(change: ModelChange) -> list[str]:
    """Return who paid for a smaller gap, in a sentence, unless it was mostly the worst-off groups that gained."""
    if change.levels_down:
        worst = Estimate(change.worst_groups, change.worst_groups_low, change.worst_groups_high)
        return [
            "Levelling down: the gap shrank only because some groups got worse; the worst-off groups gained nothing "
            f"({signed(worst.value)} points {interval(worst)}, averaged over the classes)."
        ]
    share = Estimate(change.share_levelled_down, change.share_levelled_down_low, change.share_levelled_down_high)
    if not share.value > 0.5:
        return []
    sure = "Mostly" if share.low > 0.5 else "Possibly"
    return [
        f"{sure} levelling down: {percent(share.value, 0)}% {interval(share, 0)} of the reduction comes from the "
        "best-off groups getting worse."
    ]


def _heading(result: AuditResult) -> str:
    parts = [f"{result.rows:,} samples"]
    if result.sources < result.rows:
        parts.append(f"from {result.sources:,} independent pictures or people")
    if result.unknown_groups:
        parts.append(f"{result.unknown_groups:,} without a group label")
    parts += [f"{len(result.class_names):,} classes", f"{len(result.group_names):,} groups"]
    return f"{result.where}: {', '.join(parts)}"


def _metrics(metrics: AuditMetrics, confidence: float) -> list[str]:
    group, subgroup = metrics.worst_group, metrics.worst_cell
    rows = [("", "percent", f"{100 * confidence:g}% interval", "by chance alone", "")]
    for title, found, name in (
        ("Accuracy", metrics.accuracy, ""),
        ("Balanced accuracy", metrics.balanced_accuracy, ""),
        ("Class-balanced accuracy", metrics.class_balanced_accuracy, ""),
        ("Worst group", group, group.group or ""),
        ("Worst subgroup", subgroup, place_of(subgroup)),
        ("Worst gap", metrics.worst_gap, ""),
        ("DEO_A", metrics.deo_a, ""),
        ("DEO_M", metrics.deo_m, ""),
        ("Demographic parity difference", metrics.demographic_parity, ""),
        ("Equalized odds difference", metrics.equalised_odds, ""),
    ):
        by_chance = chance(found) if isinstance(found, Gap) else ""
        rows.append((title, percent(found.value), interval(found), by_chance, name))
    if metrics.calibration_error is not None:
        error = metrics.calibration
        rows.append(("Calibration error", percent(error.value), interval(error), chance(error), ""))
    return aligned([*rows, *score_rows(metrics)], left=(0, 4))


def _groups(result: AuditResult) -> list[str]:
    calibrated = result.metrics.calibration_error is not None
    columns = ["calibration error", "", "by chance alone"] if calibrated else []
    rows = [["Group", "samples", "accuracy", "", *columns]]
    for group in result.groups:
        found, accuracy = group.calibration, group.accuracy
        calibration = [percent(found.value), interval(found), chance(found)] if calibrated else []
        rows.append([group.group, f"{group.rows:,}", percent(accuracy.value), interval(accuracy), *calibration])
    return [*aligned(rows), *_unknown(result)]


def _unknown(result: AuditResult) -> list[str]:
    """Return of which samples the numbers are, if the groups of some are unknown."""
    if not result.unknown_groups:
        return []
    calibration = "" if result.metrics.calibration_error is None else ", calibration error"
    return [
        f"Accuracy, class-balanced accuracy{calibration} and the table of classes count all "
        f"{result.rows:,} samples; every other number leaves out the {result.unknown_groups:,} without a group label."
    ]


def _classes(result: AuditResult) -> list[str]:
    rows = [["Class", "samples", "accuracy", "", "DEO", "", "by chance alone"]]
    for each in result.classes:
        accuracy, gap = each.accuracy, each.deo
        chance = percent(gap.floor) if not math.isnan(gap.floor) else ""
        rows.append(
            [
                each.class_name, f"{each.rows:,}", percent(accuracy.value), interval(accuracy), percent(gap.value),
                interval(gap), chance,
            ]
        )  # fmt: skip
    return aligned(rows)


def chance(gap: Gap | Calibration) -> str:
    """Return what chance alone would show, with its interval; empty where that is undefined."""
    if math.isnan(gap.floor):
        return ""
    return f"{percent(gap.floor)} [{percent(gap.floor_low)}, {percent(gap.floor_high)}]"


def _change(change: ModelChange) -> list[str]:
    rows = [(f"Change against {change.where}", "points", "bias-corrected", "interval", "p")]
    for title, found in (
        ("Accuracy", change.accuracy),
        ("Balanced accuracy", change.balanced_accuracy),
        ("DEO_A", change.deo_a),
        ("DEO_M", change.deo_m),
    ):
        p = "" if math.isnan(found.p_value) else f"{found.p_value:.4f}" if found.p_value >= 0.0001 else "< 0.0001"
        corrected = signed(found.estimate) if isinstance(found, GapChange) else ""
        rows.append((title, signed(found.value), corrected, interval(found), p))
    return [*aligned(rows), *no_harm(change)]


def _corrections(found: Sequence[Correction]) -> list[str]:
    rows = [["Without retraining", "accuracy", "", "DEO_A", "", "DEO_M", ""]]
    for each in found:
        row = [each.method]
        for one in (each.accuracy, each.deo_a, each.deo_m):
            row += [percent(one.value), interval(one)]
        rows.append(row)
    return [
        *aligned(rows),
        "These corrections need to know each person's group when the model is used; a distilled model does not.",
    ]
