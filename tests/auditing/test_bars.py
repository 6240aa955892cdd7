from __future__ import annotations

from fairdistill.auditing.audit import audit
from fairdistill.auditing.bars import bars
from tests.auditing.test_audit import QUICK, predictions


def test_the_worst_subgroup_comes_first_with_the_shortest_bar() -> None:
    lines = bars(audit(predictions([[90, 80], [50, 70]]), options=QUICK)).splitlines()
    assert lines[0].split() == ["Class,", "group", "accuracy"]
    assert [line.split(",")[0] + line.split()[1] for line in lines[1:]] == ["ay", "by", "bx", "ax"]
    lengths = [line.count("█") for line in lines[1:]]
    assert lengths == [10, 14, 16, 18]


def test_of_many_subgroups_the_worst_twelve_are_shown_and_empty_ones_are_not() -> None:
    right = [[10 + row for row in range(6)] for _ in range(3)]
    rows = [[20] * 6, [20] * 6, [0] + [20] * 5]
    lines = bars(audit(predictions(right, rows=rows), options=QUICK)).splitlines()
    assert lines[0].startswith("Class, group (worst 12 of 17)")
    assert len(lines) == 13
