"""An audit as text for a terminal, in percent."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fairdistill.auditing.result import AuditMetrics, AuditResult, Correction, LimitCheck, ModelChange
from fairdistill.metrics import METRICS, Gap
from fairdistill.metrics.paired import SIGNIFICANT
from fairdistill.text.numbers import interval, p_value, percent, signed
from fairdistill.text.tables import aligned

_SHOWN_SUBGROUPS = 12
_VERDICTS = {
    "within": "met: the whole interval lies below it",
    "beyond": "exceeded: the whole interval lies above it",
    "undecided": "undecided: the limit lies inside the interval, so these data cannot tell",
}


def render(result: AuditResult) -> str:
    """Return an audit as text."""
    lines = [_heading(result), "", *_metrics(result.metrics, result.confidence)]
    lines += ["", *_groups(result), "", *_classes(result), "", *in_words(result)]
    lines += model_in_words(result)
    lines += [f"{note}." for note in result.notes]
    lines += [_limit(limit, result) for limit in result.limits]
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
        shown = f"{'; '.join(empty[:8])}{' ...' if len(empty) > 8 else ''}"
        return [f"The test set has no sample of {shown}, so the DEO is undefined."]
    lines = []
    if result.collapsed:
        lines.append("The model predicts a single class for every sample, so its gap of 0 says nothing about fairness.")
    lines.append(
        f"Averaged over the classes, the groups differ by {percent(gap.value)} points. On this test set, a model "
        f"without any gap would show {_chance(gap)} by chance."
    )
    if gap.low > 0:
        lines.append(
            f"So the gap is real (p {p_value(gap.p_value)}); the bias-corrected estimate is {percent(gap.estimate)} "
            f"points, between {percent(gap.low)} and {percent(gap.high)}."
        )
    else:
        lines.append(
            "This gap is within what chance alone would produce; the true gap could be as large as "
            f"{percent(gap.high)} points."
        )
    return [*lines, _sizing(result)]


def model_in_words(result: AuditResult) -> list[str]:
    """Return how the model was read, in sentences; nothing if the predictions came from elsewhere."""
    model = result.model
    if model is None:
        return []
    how = "resized to"
    if model.crop == "center":
        how = f"with the short side resized to {model.resized} pixels, the center cut out at"
    classes = model.output_classes
    more = f" and {len(classes) - _SHOWN_SUBGROUPS} more" if len(classes) > _SHOWN_SUBGROUPS else ""
    return [
        f"Model input: images {how} {model.size} x {model.size} pixels; mean {_channels(model.mean)}; standard "
        f"deviation {_channels(model.std)}.",
        f"Model outputs: {model.outputs}, in the order {', '.join(classes[:_SHOWN_SUBGROUPS])}{more}.",
    ]


def _channels(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)


def shrank(change: ModelChange) -> bool:
    """Return whether DEO_A shrank significantly; without that, nobody can say who paid for it."""
    return change.deo_a.value < 0 and change.deo_a.p_value <= SIGNIFICANT


def no_harm(change: ModelChange) -> list[str]:
    """Return the effect of a change on each subgroup, in sentences, naming levelling down where it happens."""
    lines = []
    harmed = [cell for cell in change.cells if cell.harmed]
    helped = [cell for cell in change.cells if cell.helped]
    if harmed:
        shown = "; ".join(
            f"{cell.class_name} of {cell.group} ({signed(cell.value)})" for cell in harmed[:_SHOWN_SUBGROUPS]
        )
        more = f" and {len(harmed) - _SHOWN_SUBGROUPS} more" if len(harmed) > _SHOWN_SUBGROUPS else ""
        lines.append(f"Significantly worse, corrected for the number of subgroups: {shown}{more}.")
    else:
        lines.append("No subgroup got significantly worse. Harm to a very small subgroup could go undetected.")
    lines.append(f"{len(helped)} of {len(change.cells)} subgroups got significantly better.")
    if not shrank(change):
        return lines
    if change.levels_down:
        lines.append(
            "Levelling down: the gap shrank only because some groups got worse; the worst-off groups gained nothing "
            f"({signed(change.worst_groups)} points, averaged over the classes)."
        )
    elif change.share_levelled_down > 0.5:
        lines.append(
            f"Mostly levelling down: {percent(change.share_levelled_down, 0)}% of the reduction comes from the "
            "best-off groups getting worse."
        )
    return lines


def _heading(result: AuditResult) -> str:
    parts = [f"{result.rows:,} samples"]
    if result.sources < result.rows:
        parts.append(f"from {result.sources:,} independent pictures or people")
    if result.unknown_groups:
        parts.append(f"{result.unknown_groups:,} without a group label")
    parts += [f"{len(result.class_names)} classes", f"{len(result.group_names)} groups"]
    return f"{result.where}: {', '.join(parts)}"


def _metrics(metrics: AuditMetrics, confidence: float) -> list[str]:
    group, subgroup = metrics.worst_group, metrics.worst_cell
    which = ", ".join(name for name in (subgroup.class_name, subgroup.group) if name is not None)
    rows = [("", "percent", f"{100 * confidence:g}% interval", "by chance alone", "")]
    for title, found, name in (
        ("Accuracy", metrics.accuracy, ""),
        ("Balanced accuracy", metrics.balanced_accuracy, ""),
        ("Worst group", group, group.group or ""),
        ("Worst subgroup", subgroup, which),
        ("DEO_A", metrics.deo_a, ""),
        ("DEO_M", metrics.deo_m, ""),
        ("Demographic parity difference", metrics.demographic_parity, ""),
        ("Equalized odds difference", metrics.equalised_odds, ""),
    ):
        chance = _chance(found) if isinstance(found, Gap) and not math.isnan(found.floor) else ""
        rows.append((title, percent(found.value), interval(found), chance, name))
    if metrics.calibration_error is not None:
        rows.append(("Calibration error", percent(metrics.calibration_error), "", "", ""))
    return aligned(rows, left=(0, 4))


def _groups(result: AuditResult) -> list[str]:
    calibrated = result.metrics.calibration_error is not None
    rows = [["Group", "samples", "accuracy", "", *(["calibration error"] if calibrated else [])]]
    for group in result.groups:
        calibration = [percent(group.calibration_error)] if calibrated else []
        accuracy = group.accuracy
        rows.append([group.group, f"{group.rows:,}", percent(accuracy.value), interval(accuracy), *calibration])
    return aligned(rows)


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


def _chance(gap: Gap) -> str:
    return f"{percent(gap.floor)} [{percent(gap.floor_low)}, {percent(gap.floor_high)}]"


def _sizing(result: AuditResult) -> str:
    sizing = result.sizing
    smallest = f"{sizing.smallest_cell:,} sample" + ("" if sizing.smallest_cell == 1 else "s")
    resolved = f"enough to detect a gap of {percent(sizing.gap_resolved)} points between two subgroups"
    if sizing.gap_resolved >= 1:
        resolved = "too few to detect any gap"
    needed = "; ".join(f"{percent(each.gap, 0)} points: {each.rows:,}" for each in sizing.rows_needed)
    return f"The smallest subgroup has {smallest}, {resolved}. Samples per subgroup needed to detect {needed}."


def _limit(limit: LimitCheck, result: AuditResult) -> str:
    why = _VERDICTS[limit.verdict]
    if limit.verdict == "undecided" and result.empty_cells:
        why = "undecided: a subgroup has no samples"
    elif limit.verdict == "undecided" and result.collapsed:
        why = "undecided: the model predicts a single class for every sample"
    return f"Limit {METRICS[limit.metric]} <= {percent(limit.limit)}%: {why}."


def _change(change: ModelChange) -> list[str]:
    rows = [(f"Change against {change.where}", "points", "interval", "p")]
    for name, found in (("accuracy", change.accuracy), ("deo_a", change.deo_a), ("deo_m", change.deo_m)):
        p = "" if math.isnan(found.p_value) else f"{found.p_value:.4f}"
        rows.append((METRICS[name], signed(found.value), interval(found), p))
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
