"""What the test set says about the chosen candidate, in sentences and as rows of a table."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fairdistill.auditing import AuditResult, ModelChange, SubgroupChange
from fairdistill.choosing import title
from fairdistill.fixing.result import FixResult
from fairdistill.metrics import Change
from fairdistill.text.lists import joined, listed
from fairdistill.text.numbers import interval, percent, signed

_NAMED = 6
_SHOWN = {title(name) for name in ("deo_a", "deo_m", "accuracy", "balanced_accuracy", "worst_subgroup")}

_ROWS = {
    "deo_a": "DEO_A, mean gap over the classes",
    "deo_m": "DEO_M, largest gap",
    "accuracy": "Accuracy, images mixed as here",
    "balanced_accuracy": "Accuracy, every subgroup counted equally",
    "worst_cell": "Worst subgroup",
}


def which_accuracy(result: FixResult) -> str:
    """Return which of the two accuracies matters when."""
    rows = {cell.rows for cell in result.test_before.cells}
    if len(rows) == 1:
        return (
            "Every subgroup has equally many test images, so the two accuracies agree here; on images mixed "
            "differently, only the second one would stay the same."
        )
    return (
        "The first accuracy is what to expect on images mixed as in this test set. The second one counts every "
        "subgroup equally: look at it if the mix in use may differ, or if small groups matter as much as large ones."
    )


def confirmed(result: FixResult) -> str:
    """Return what the test set confirms about the chosen candidate, what it contradicts, and what stays open."""
    by_sign: dict[int, list[str]] = {1: [], -1: [], 0: []}
    for name, higher, change in _changes(result):
        by_sign[_sign(change, higher)].append(name)
    kinds = ((1, "confirms a better"), (-1, "shows a worse"), (0, "cannot tell about"))
    said = [f"{what} {joined(by_sign[sign])}" for sign, what in kinds if by_sign[sign]]
    return f"The test set {'; it '.join(said)}." if said else ""


def better_and_not_worse(result: FixResult) -> bool:
    """Return whether the test set confirms that the candidate is better in something, and shows no harm."""
    signs = [_sign(change, higher) for _, higher, change in _changes(result)]
    harmed = result.kept is not None and any(cell.harmed for cell in result.kept.cells)
    return 1 in signs and -1 not in signs and not harmed


def _changes(result: FixResult) -> list[tuple[str, bool, Change]]:
    """Return each metric whose change was tested on the test set, and whether higher is better; the rule's first."""
    if result.kept is None or result.kept_worst_subgroup is None:
        return []
    found: list[tuple[str, bool, Change]] = [
        ("DEO_A", False, result.kept.deo_a),
        ("DEO_M", False, result.kept.deo_m),
        ("accuracy", True, result.kept.accuracy),
        ("accuracy with every subgroup counted equally", True, result.kept.balanced_accuracy),
        ("worst subgroup", True, result.kept_worst_subgroup),
    ]
    if result.gain is not None and result.metric not in _SHOWN:
        found.insert(0, (f"{result.metric}, which the rule chooses by", True, result.gain.found))
    return found


def _sign(change: Change, higher: bool) -> int:
    if math.isnan(change.low) or change.low <= 0 <= change.high:
        return 0
    return 1 if (change.low > 0) == higher else -1


def who_changes(change: ModelChange) -> list[str]:
    """Return which subgroups got significantly worse and better, and who paid for a smaller gap."""
    harmed = sorted((cell for cell in change.cells if cell.harmed), key=lambda cell: cell.value)
    helped = sorted((cell for cell in change.cells if cell.helped), key=lambda cell: -cell.value)
    worse = (
        f"Significantly worse: {_cells(harmed)}."
        if harmed
        else "No subgroup got significantly worse; harm to a very small one could go undetected."
    )
    better = f"Significantly better: {_cells(helped)}." if helped else "No single subgroup got significantly better."
    if not harmed and not helped:
        return ["No single subgroup changed significantly; a change of a very small one could go undetected."]
    if change.levels_down:
        paid = ["The gap shrank only because some groups got worse; the worst-off groups gained nothing."]
    elif change.shrank and change.share_levelled_down_low > 0.5:
        paid = [f"Most of the smaller gap ({percent(change.share_levelled_down, 0)}%) is the best-off groups' loss."]
    else:
        paid = []
    return [better, worse, *paid]


def _cells(cells: Sequence[SubgroupChange]) -> str:
    each = [f"{cell.class_name} in group {cell.group} ({signed(cell.value)} points)" for cell in cells]
    return listed(each, _NAMED, separator="; ")


def sureness(result: FixResult) -> list[str]:
    """Return how sure the verdict is: how often the test set was read, and whether the rule holds there."""
    lines = []
    for each in result.test_read_before:
        who = "your model alone" if each.chosen == result.candidates[0].name else f"`{each.chosen}`"
        lines.append(
            f"The test set was already read for {who} (rule `{each.rule}`), so this is not an independent check."
        )
    if not result.test_read_before:
        whom = "your model" if result.test_after is None else f"`{result.chosen}` and your model"
        lines.append(f"The test set was read once, for {whom}; every choice was made on the validation set.")
    lines += [f"On the test set, `{result.chosen}` breaks the rule: {each}." for each in result.breaks_rule_on_test]
    return lines


def on_test(result: FixResult) -> list[tuple[str, str, str, str]]:
    """Return the rows of the table of the test set: a metric, your model, the chosen one, the change."""
    rows = []
    for name, row in _ROWS.items():
        own, other = (_metric(audited, name) for audited in (result.test_before, result.test_after))
        change = result.kept_worst_subgroup if name == "worst_cell" else getattr(result.kept, name, None)
        rows.append((row, own, other, "" if change is None else f"{signed(change.value)} {interval(change)}"))
    return rows


def _metric(audited: AuditResult | None, name: str) -> str:
    """Return a metric with its interval; empty without an audit."""
    if audited is None:
        return ""
    found = getattr(audited.metrics, name)
    if name != "worst_cell":
        return f"{percent(found.value)} {interval(found)}"
    return f"{percent(found.value)} ({found.class_name}, {found.group})"
