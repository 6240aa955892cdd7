"""Limits and whether they are kept, as sentences."""

from __future__ import annotations

from fairdistill.auditing.result import AuditResult, LimitCheck
from fairdistill.metrics import METRICS
from fairdistill.text.lists import listed
from fairdistill.text.numbers import counted, percent

_NAMED = 5
_TITLES = {**METRICS, "worst_gap": "worst gap", "harm": "fall of a subgroup's accuracy"}
_VERDICTS = {
    ("max", "within"): "met: with {confidence} confidence it is at most {high}",
    ("max", "beyond"): "exceeded: with {confidence} confidence it is at least {low}",
    ("min", "within"): "met: with {confidence} confidence it is at least {low}",
    ("min", "beyond"): "not met: with {confidence} confidence it is at most {high}",
}
_UNDECIDED = (
    "undecided: these data cannot tell; it is at least {low} and at most {high}, each with {confidence} confidence"
)
_SIGNS = {"max": "<=", "min": ">="}
_IN_WORDS = {"max": "at most", "min": "at least"}


def limits_in_words(result: AuditResult) -> list[str]:
    """Return a sentence for each limit."""
    return [f"Limit {limit_of(limit)}: {verdict_of(limit, result)}." for limit in result.limits]


def limit_of(limit: LimitCheck, *, words: bool = False) -> str:
    """Return what is limited and by what, for example ``DEO_A <= 5.0%``, or in words ``DEO_A at most 5.0%``."""
    how = (_IN_WORDS if words else _SIGNS)[limit.kind]
    title = _TITLES[limit.metric]
    return f"{title[:1].upper()}{title[1:]} {how} {percent(limit.limit)}%"


def verdict_of(limit: LimitCheck, result: AuditResult) -> str:
    """Return whether a limit is kept, and why."""
    why = _VERDICTS.get((limit.kind, limit.verdict), _UNDECIDED).format(
        confidence=f"{100 * result.confidence:g}%",
        low=f"{percent(limit.at_least)}%",
        high=f"{percent(limit.at_most)}%",
    )
    of_gaps = limit.metric in ("deo_a", "deo_m")
    empty = limit.verdict == "undecided" and bool(result.empty_cells)
    if empty and of_gaps:
        return "undecided: a subgroup has no samples"
    if limit.verdict == "beyond" and of_gaps and result.empty_cells:
        return f"{why}, whatever the gaps of classes with an empty subgroup are"
    if limit.verdict == "undecided" and of_gaps and result.collapsed:
        return "undecided: the model predicts a single class for every sample"
    if limit.verdict == "undecided" and of_gaps and result.hardly_predicted:
        why += f"; the gap of a class that is hardly ever predicted ({hardly(result)}) is unknown"
    if empty and limit.metric != "accuracy":
        why += "; a subgroup has no samples"
    if limit.metric == "harm":
        return f"{why}; decided by {limit.class_name} of {limit.group} ({_rows(limit, result)})"
    named = limit.metric == "worst_gap" and limit.group is not None
    return f"{why}; the worst is {limit.class_name} of {limit.group}" if named else why


def _rows(limit: LimitCheck, result: AuditResult) -> str:
    """Return the number of samples of the subgroup that decides."""
    rows = next(cell.rows for cell in result.cells if (cell.group, cell.class_name) == (limit.group, limit.class_name))
    return counted(rows, "sample")


def hardly(result: AuditResult) -> str:
    """Return the classes that are hardly ever predicted."""
    return listed(result.hardly_predicted, _NAMED)
