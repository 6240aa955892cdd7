"""An audit as a short summary in Markdown, for example for the job summary of a pipeline."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fairdistill.auditing.limit_text import limit_of, verdict_of
from fairdistill.auditing.result import AuditResult, LimitCheck, ModelChange, Verdict
from fairdistill.auditing.text import in_words, no_harm
from fairdistill.escaping import one_line
from fairdistill.metrics import Gap
from fairdistill.text.markup import as_markdown, table
from fairdistill.text.numbers import counted, interval, percent, signed

_WORST = 5
_NOTES = 10
_WORDS: dict[Verdict, str] = {"within": "pass", "beyond": "**fail**", "undecided": "undecided"}


def summary(result: AuditResult) -> str:
    """Return the verdict, the limits, the worst subgroups and a table of metrics as Markdown."""
    parts = [f"## Fairness audit: {outcome(result.limits, allow_undecided=result.allow_undecided)}", _sentence(result)]
    if result.limits:
        parts.append(_limits(result))
    parts += [" ".join(map(as_markdown, in_words(result)[:2])), _metrics(result), _worst(result)]
    if result.against is not None:
        parts.append(_change(result.against))
    if result.notes:
        parts.append(folded_notes(result.notes))
    return "\n\n".join(filter(None, parts))


def outcome(limits: Sequence[LimitCheck], *, allow_undecided: bool) -> str:
    """Return the outcome in a word or two; it is that of the exit code."""
    found = {limit.verdict for limit in limits}
    if not found:
        return "no limit set"
    if "beyond" in found:
        return "fail"
    allowed = " (allowed)" if allow_undecided else ""
    return f"undecided{allowed}" if "undecided" in found else "pass"


def _sentence(result: AuditResult) -> str:
    what = f"`{code(result.where)}`: {result.rows:,} samples, {len(result.class_names):,} classes, "
    what += f"{len(result.group_names):,} groups."
    verdicts = [limit.verdict for limit in result.limits]
    if not verdicts:
        return what
    many = len(verdicts)
    numbers = [(verdicts.count("beyond"), "not met"), (verdicts.count("undecided"), "undecided")]
    said = " and ".join(f"{number} {word}" for number, word in numbers if number)
    each = "The limit is" if many == 1 else f"All {many} limits are"
    met = f"Of {counted(many, 'limit')}, {said}." if said else f"{each} met."
    return f"{what} {met}"


def _limits(result: AuditResult) -> str:
    rows = [("Limit", "Result", "Why")]
    for limit in result.limits:
        why = verdict_of(limit, result).partition(": ")[2]
        rows.append((as_markdown(limit_of(limit, words=True)), _WORDS[limit.verdict], as_markdown(why)))
    return table(rows, left=3)


def _metrics(result: AuditResult) -> str:
    rows = [("Metric", "percent", f"{100 * result.confidence:g}% interval", "by chance alone")]
    metrics = result.metrics
    for title, found in (
        ("Accuracy", metrics.accuracy),
        ("Balanced accuracy", metrics.balanced_accuracy),
        ("Worst subgroup", metrics.worst_cell),
        ("DEO\\_A", metrics.deo_a),
        ("DEO\\_M", metrics.deo_m),
    ):
        floor = percent(found.floor) if isinstance(found, Gap) and not math.isnan(found.floor) else ""
        rows.append((title, percent(found.value), interval(found), floor))
    return table(rows)


def _worst(result: AuditResult) -> str:
    """Return the subgroups of the lowest accuracy."""
    cells = sorted((cell for cell in result.cells if cell.rows), key=lambda cell: cell.accuracy.value)
    if not cells:
        return ""
    rows = [("Worst subgroups (class, group)", "samples", "accuracy", "interval")]
    rows += [
        (
            as_markdown(f"{cell.class_name}, {cell.group}"), f"{cell.rows:,}", percent(cell.accuracy.value),
            interval(cell.accuracy),
        )
        for cell in cells[:_WORST]
    ]  # fmt: skip
    return table(rows)


def _change(change: ModelChange) -> str:
    rows = [("Change against " + as_markdown(str(change.where)), "points", "interval")]
    for title, found in (("Accuracy", change.accuracy), ("DEO\\_A", change.deo_a)):
        rows.append((title, signed(found.value), interval(found)))
    return f"{table(rows)}\n\n{' '.join(map(as_markdown, no_harm(change)))}"


def folded_notes(notes: Sequence[str]) -> str:
    """Return notes as a list that is opened with a click."""
    shown = [f"* {as_markdown(note)}." for note in notes[:_NOTES]]
    more = len(notes) - _NOTES
    shown += [f"* {more:,} more are in audit.json."] if more > 0 else []
    return "\n".join(["<details><summary>Notes</summary>", "", *shown, "", "</details>"])


def code(text: str) -> str:
    """Return text to put between backquotes."""
    return one_line(text).replace("`", "'")
