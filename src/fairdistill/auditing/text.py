"""An audit in words and columns for a terminal; percent."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fairdistill.text.tables import aligned

_ROWS = (
    ("accuracy", "Accuracy"), ("balanced_accuracy", "Balanced accuracy"), ("worst_group", "Worst group"),
    ("worst_cell", "Worst cell"), ("deo_a", "DEO_A"), ("deo_m", "DEO_M"),
    ("demographic_parity", "Demographic parity difference"), ("equalised_odds", "Equalised odds difference"),
)  # fmt: skip
_SHOWN_CELLS = 12
_VERDICTS = {
    "within": "kept: the whole interval lies within it",
    "beyond": "broken: the whole interval lies beyond it",
    "undecided": "undecided: the limit lies inside the interval, so these data cannot tell",
}


def render(said: Mapping[str, Any]) -> str:
    """Return an audit as text: what :func:`fairdistill.auditing.audit.audit` returns."""
    metrics = said["metrics"]
    lines = [_heading(said), "", *_table(metrics, said["confidence"])]
    lines += ["", *_groups(said), "", *in_words(said)]
    lines += [f"{note}." for note in said["notes"]]
    for limit in said["limits"]:
        why = _VERDICTS[limit["verdict"]]
        if limit["verdict"] == "undecided" and (said["empty_cells"] or said["collapsed"]):
            why = "undecided: " + ("a cell is empty" if said["empty_cells"] else "every row is predicted as one class")
        lines.append(f"Limit {_name(limit['metric'])} <= {percent(limit['limit'])}%: {why}.")
    if said["against"]:
        lines += ["", *_against(said["against"])]
    if said["posthoc"]:
        lines += ["", *_posthoc(said["posthoc"])]
    return "\n".join(lines)


def in_words(said: Mapping[str, Any]) -> list[str]:
    """Return what an audit means, in plain sentences."""
    gap, sizing = said["metrics"]["deo_a"], said["sizing"]
    empty = [f"{said['class_names'][label]} of {said['group_names'][group]}" for group, label in said["empty_cells"]]
    if empty:
        return [f"No test row of {'; '.join(empty[:8])}{' ...' if len(empty) > 8 else ''}: the DEO is undefined."]
    lines = []
    if said["collapsed"]:
        lines.append("Every row is predicted as one class: its gap of 0 says nothing about fairness.")
    floor = f"{percent(gap['floor'])} [{percent(gap['floor_low'])}, {percent(gap['floor_high'])}]"
    lines.append(
        f"Averaged over the classes, the groups differ by {percent(gap['value'])} points. A model without any gap "
        f"would show {floor} on this test set by chance."
    )
    if gap["low"] > 0:
        lines.append(
            f"So the gap is real (p {p_value(gap['p_value'])}); with chance taken off, the best estimate is "
            f"{percent(gap['estimate'])} points, between {percent(gap['low'])} and {percent(gap['high'])}."
        )
    else:
        lines.append(
            "So this test set cannot tell the gap from none; the true one may be as large as "
            f"{percent(gap['high'])} points."
        )
    resolved = f"enough for a gap of {percent(sizing['gap_resolved'])} points between two cells"
    if sizing["gap_resolved"] >= 1:
        resolved = "too few to show any gap"
    needed = "; ".join(f"{percent(each['gap'], 0)} points: {each['rows']:,}" for each in sizing["rows_needed"])
    lines.append(
        f"Its smallest cell has {_rows(sizing['smallest_cell'])}, {resolved}. Rows a cell needed for {needed}."
    )
    return lines


def p_value(value: float) -> str:
    """Return ``= 0.03``, or ``<= 0.0002`` of one that is as small as the draws can tell."""
    return f"<= {max(value, 0.0001):.1g}" if value <= 0.0002 else f"= {value:.2g}"


def _rows(count: int) -> str:
    return f"{count:,} row" + ("" if count == 1 else "s")


def percent(value: float | None, digits: int = 1) -> str:
    """Return a fraction as percent; ``undefined`` if it is."""
    if value is None or math.isnan(value):
        return "undefined"
    return f"{100 * value:.{digits}f}"


def interval(value: Mapping[str, Any], digits: int = 1) -> str:
    """Return ``[low, high]`` in percent; empty if undefined."""
    if value["low"] is None or math.isnan(value["low"]):
        return ""
    return f"[{percent(value['low'], digits)}, {percent(value['high'], digits)}]"


def _heading(said: Mapping[str, Any]) -> str:
    parts = [f"{said['rows']:,} rows"]
    if said["sources"] < said["rows"]:
        parts.append(f"of {said['sources']:,} independent pictures or people")
    if said["unknown_groups"]:
        parts.append(f"{said['unknown_groups']:,} of unknown group")
    parts += [f"{len(said['class_names'])} classes", f"{len(said['group_names'])} groups"]
    return f"{said['where']}: {', '.join(parts)}"


def _table(metrics: Mapping[str, Any], confidence: float) -> list[str]:
    rows = [("", "percent", f"{100 * confidence:g}% interval", "by chance alone", "")]
    for name, title in _ROWS:
        metric = metrics[name]
        chance = ""
        if "floor" in metric and not math.isnan(metric["floor"]):
            chance = f"{percent(metric['floor'])} [{percent(metric['floor_low'])}, {percent(metric['floor_high'])}]"
        which = ", ".join(str(metric[key]) for key in ("class", "group") if metric.get(key) is not None)
        rows.append((title, percent(metric["value"]), interval(metric), chance, which))
    if metrics["calibration_error"] is not None:
        rows.append(("Calibration error", percent(metrics["calibration_error"]), "", "", ""))
    return aligned(rows, left=(0, 4))


def _groups(said: Mapping[str, Any]) -> list[str]:
    calibrated = said["metrics"]["calibration_error"] is not None
    rows = [["Group", "rows", "accuracy", "", *(["calibration error"] if calibrated else [])]]
    for group in said["groups"]:
        accuracy = group["accuracy"]
        rows.append(
            [
                group["group"],
                f"{group['rows']:,}",
                percent(accuracy["value"]),
                interval(accuracy),
                *([percent(group["calibration_error"])] if calibrated else []),
            ]
        )
    classes = [["Class", "rows", "accuracy", "", "DEO", "", "by chance alone"]]
    for each in said["classes"]:
        accuracy, gap = each["accuracy"], each["deo"]
        classes.append(
            [
                each["class"],
                f"{each['rows']:,}",
                percent(accuracy["value"]),
                interval(accuracy),
                percent(gap["value"]),
                interval(gap),
                percent(gap["floor"]) if not math.isnan(gap["floor"]) else "",
            ]
        )
    return [*aligned(rows), "", *aligned(classes)]


def _against(change: Mapping[str, Any]) -> list[str]:
    rows = [(f"Change against {change['where']}", "points", "interval", "p")]
    for name in ("accuracy", "deo_a", "deo_m"):
        found = change[name]
        p_value = "" if math.isnan(found["p_value"]) else f"{found['p_value']:.4f}"
        rows.append((_name(name), _signed(found["value"]), interval(found), p_value))
    return [*aligned(rows), *no_harm(change)]


def no_harm(change: Mapping[str, Any]) -> list[str]:
    """Return what a change does to each cell, in sentences; levelling down is called by its name."""
    lines = []
    harmed = [cell for cell in change["cells"] if cell["harmed"]]
    helped = [cell for cell in change["cells"] if cell["helped"]]
    if harmed:
        shown = "; ".join(
            f"{cell['class']} of {cell['group']} ({_signed(cell['value'])})" for cell in harmed[:_SHOWN_CELLS]
        )
        more = f" and {len(harmed) - _SHOWN_CELLS} more" if len(harmed) > _SHOWN_CELLS else ""
        lines.append(f"Harmed beyond chance, over all cells together: {shown}{more}.")
    else:
        lines.append("No cell is harmed beyond chance; a small cell may be, without these data showing it.")
    verb = "is" if len(helped) == 1 else "are"
    lines.append(f"{len(helped)} of {len(change['cells'])} cells {verb} helped beyond chance.")
    if change["levels_down"]:
        lines.append(
            "Levelling down: the gap shrank only because somebody got worse; the worst-off groups gained nothing "
            f"({_signed(change['worst_groups'])} points, averaged over classes)."
        )
    elif change["deo_a"]["value"] < 0 and change["share_levelled_down"] > 0.5:
        lines.append(
            f"Mostly levelling down: {percent(change['share_levelled_down'], 0)}% of the smaller gap comes from the "
            "best-off groups getting worse."
        )
    return lines


def _posthoc(found: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = [("Without training again", "accuracy", "", "DEO_A", "", "DEO_M", "")]
    for each in found:
        cells = [
            part
            for name in ("accuracy", "deo_a", "deo_m")
            for part in (percent(each[name]["value"]), interval(each[name]))
        ]
        rows.append((each["method"], *cells))
    return [
        *aligned(rows),
        "This needs to know the group of each person when the model is used; a distilled model does not.",
    ]


def _signed(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{100 * value:+.1f}"


def _name(metric: str) -> str:
    return {"accuracy": "Accuracy", "deo_a": "DEO_A", "deo_m": "DEO_M"}[metric]
