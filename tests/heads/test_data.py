from __future__ import annotations

import pytest
import torch

from fairdistill.errors import UsageError
from fairdistill.heads import HeadData
from tests.heads.samples import people


def test_cells_leave_out_unknown_groups() -> None:
    labels, groups = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 0, 1, -1])
    data = HeadData(torch.zeros(4, 2), labels, groups, torch.arange(4), 2, 2)
    assert data.cells.tolist() == [[2, 0], [0, 1]]


def test_take() -> None:
    data = people(10)
    some = data.take(torch.tensor([4, 2]))
    assert torch.equal(some.features, data.features[[4, 2]])
    assert some.labels.tolist() == data.labels[[4, 2]].tolist()
    assert some.sources.tolist() == [4, 2]
    assert len(some) == 2


def test_wrong_rows() -> None:
    two = torch.zeros(2, dtype=torch.int64)
    with pytest.raises(UsageError, match=r"`sources` to have shape \(2,\), but got \(1,\)"):
        HeadData(torch.zeros(2, 2), two, two, two[:1], 2, 2)
    with pytest.raises(ValueError, match="row 1 is 2"):
        HeadData(torch.zeros(2, 2), torch.tensor([0, 2]), two, two, 2, 2)
    with pytest.raises(UsageError, match=r"floating point \[N, D\], but got torch.int64"):
        HeadData(torch.zeros(2, 2).long(), two, two, two, 2, 2)
