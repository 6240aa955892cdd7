"""What a search has found as text and as Markdown; read from what ``tune.json`` holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairdistill.metrics.names import METRICS
from fairdistill.text.tables import aligned, markdown
from fairdistill.training import percent


def text(record: Mapping[str, Any]) -> str:
    """Return the result for a terminal: the trials, what was chosen and why, validation and test side by side."""
    lines = aligned(_trials(record), left=(0, len(record["search"]) + 4, len(record["search"]) + 5))
    rule = "-" * max(map(len, lines))
    shown = [heading(record), "", lines[0], rule, *lines[1:], rule, "", *_sentences(record)]
    if record["chosen"] is not None:
        shown += ["", *aligned(_sides(record))]
    return "\n".join([*shown, "", _made_with(record)])


def markdown_page(record: Mapping[str, Any]) -> str:
    """Return the same as Markdown."""
    parts = [f"# {heading(record)}", markdown(_trials(record)), *_sentences(record)]
    if record["chosen"] is not None:
        parts.append(markdown(_sides(record)))
    return "\n\n".join([*parts, _made_with(record)])


def heading(record: Mapping[str, Any]) -> str:
    """Return what was searched, where and on how many rows."""
    searched = "; ".join(f"{name} {dimension}" for name, dimension in record["search"].items())
    return (
        f"{record['method']} on {record['data']}: {searched}, on {record['validation_rows']:,} validation rows, seed "
        f"{record['seed']}"
    )


def _trials(record: Mapping[str, Any]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("Trial", *record["search"], *METRICS.values(), "State", "")]
    for trial in record["trials"]:
        settings = (f"{trial['settings'][name]:.4g}" if name in trial["settings"] else "" for name in record["search"])
        marks = [
            word
            for word, numbers in (("front", record["front"]), ("chosen", [record["chosen"]]))
            if trial["number"] in numbers
        ]
        rows.append((str(trial["number"]), *settings, *_metrics(trial["validation"]), _state(trial), ", ".join(marks)))
    if record["teacher"] is not None:
        rows.append(("teacher", *[""] * len(record["search"]), *_metrics(record["teacher"]["validation"]), "", ""))
    return rows


def _state(trial: Mapping[str, Any]) -> str:
    if trial["state"] != "stopped early":
        return str(trial["state"])
    return f"stopped early at step {trial['steps']:,}, beaten by {trial['beaten_by']}"


def _metrics(values: Mapping[str, float] | None) -> list[str]:
    return ["" if values is None else f"{100 * values[name]:.2f}" for name in METRICS]


def _sentences(record: Mapping[str, Any]) -> list[str]:
    over = " and ".join(METRICS[name] for name in record["objectives"])
    lines = [f"Percent, on validation rows; front: no finished trial is better in {over}."]
    if record["chosen"] is None:
        lines.append(f"No trial is chosen yet; the rule: {record['rule_in_words']}.")
    else:
        so_far = " so far" if any(trial["state"] == "in hand" for trial in record["trials"]) else ""
        lines.append(f"Chosen{so_far}: trial {record['chosen']}, {record['rule_in_words']}. Its run: {record['run']}")
    if record["closed"] is not None:
        lines.append(
            f"The test set was read for this trial alone ({record['closed']['when']}); with that the study is closed."
        )
    return [*lines, *(f"{note}." for note in record["notes"])]


def _sides(record: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return the chosen trial's values, and its teacher's, on validation and test rows side by side."""
    chosen = next(trial for trial in record["trials"] if trial["number"] == record["chosen"])
    test, teacher = record["test"], record["teacher"]
    columns: list[tuple[str, int | None, Mapping[str, float] | None]] = [
        ("validation", record["validation_rows"], chosen["validation"]),
        ("test", None if test is None else test["rows"], test),
    ]
    if teacher is not None:
        columns.append(("teacher, validation", record["validation_rows"], teacher["validation"]))
        columns.append(
            ("teacher, test", None if test is None else test["rows"], None if test is None else test["teacher"])
        )
    header = ("", *(f"{name} (n = {rows:,})" if rows is not None else f"{name}" for name, rows, _ in columns))
    return [
        header,
        *(
            (name, *("not read" if values is None else percent(values[metric]) for _, _, values in columns))
            for metric, name in METRICS.items()
        ),
    ]


def _made_with(record: Mapping[str, Any]) -> str:
    made = record["environment"]
    versions = ", ".join(f"{name} {made['packages'][name]}" for name in ("torch", "optuna"))
    return (
        f"fairdistill {made['fairdistill']}, {versions}, {made['processor']}, {made['device']}; {record['steps']:,} "
        f"steps a trial, {record['sampler']}, seed {record['seed']}."
    )
