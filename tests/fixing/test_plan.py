from __future__ import annotations

import pytest

from fairdistill.errors import UsageError
from fairdistill.fixing.options import MOST_STUDENTS
from fairdistill.fixing.plan import affordable_epochs, students


def test_ss_comes_first_then_mfd_from_the_papers_strength_outwards():
    found = students("cifar10s")
    assert [each.method for each in found] == ["ss", *["mfd"] * 5]
    strengths = [each.settings["mfd.strength"] for each in found[1:]]
    paper = strengths[0]
    assert strengths == pytest.approx([paper, paper / 3, 3 * paper, paper / 10, 10 * paper], rel=0.01)
    assert len({each.name for each in found}) == len(found) == MOST_STUDENTS


@pytest.mark.parametrize(("budget", "teacher", "epochs"), [(10_000, False, 50), (60, False, 10), (60, True, 7)])
def test_the_budget_is_shared_by_three_students_and_a_teacher(budget, teacher, epochs):
    assert affordable_epochs(2.0, budget=budget, most=50, students=6, teacher=teacher) == epochs


def test_a_budget_too_short_for_one_pass_each_says_what_would_do():
    with pytest.raises(
        UsageError, match=r"--budget of 5 s is too short: one pass .* about 2 s, and 3 runs .* at least"
    ) as e:
        affordable_epochs(2.0, budget=5, most=50, students=6, teacher=False)
    enough = float(str(e.value).rpartition(" ")[2].rstrip("s"))
    assert affordable_epochs(2.0, budget=enough, most=50, students=6, teacher=False) == 1
