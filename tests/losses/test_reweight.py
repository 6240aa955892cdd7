import math
from functools import partial

import pytest
import torch

from fairdistill.losses import Reweight, reweighing, reweighted_loss
from tests.losses.contract import (
    DTYPES,
    assert_close,
    assert_computes_in_full_precision,
    assert_gradcheck,
    assert_same,
    assert_unmoved_by_autocast,
    random,
    step_view,
    term_context,
)
from tests.reference import reweight as slow

# training rows in each cell
TABLES = {
    "skewed": [[4, 1], [1, 4], [2, 2]],
    "independent": [[2, 6], [1, 3], [3, 9]],
    "a one-sample cell": [[7, 1], [3, 3]],
    "an empty cell": [[5, 0], [2, 3]],
    "a class nowhere": [[3, 1], [0, 0], [1, 3]],
    "a group nowhere": [[3, 0, 1], [1, 0, 3]],
}
tables = pytest.mark.parametrize("counts", TABLES.values(), ids=TABLES)


def rows_of(counts):
    return [(c, g) for c, row in enumerate(counts) for g, n in enumerate(row) for _ in range(n)]


def test_hand_worked():
    # 10 rows. Cell (0, 0) has 4, class 0 has 5, group 0 has 6: 0.5 * 0.6 / 0.4 = 0.75.
    # Cell (0, 1): 0.5 * 0.4 / 0.1 = 2. Cell (1, 0): 0.5 * 0.6 / 0.2 = 1.5. Cell (1, 1): 0.5 * 0.4 / 0.3 = 2/3.
    weights = reweighing(torch.tensor([[4, 1], [2, 3]]))
    torch.testing.assert_close(weights, torch.tensor([[0.75, 2.0], [1.5, 2 / 3]], dtype=torch.float64))
    # Losses ln 2 of cell (0, 1), ln 4 of (1, 0) and ln 2 of an unknown group: (2 ln 2 + 1.5 ln 4 + ln 2) / 3 = 2 ln 2.
    logits = torch.tensor([[0.0, 0.0], [math.log(3), 0.0], [0.0, 0.0]])
    loss = reweighted_loss(logits, torch.tensor([0, 1, 1]), torch.tensor([1, 0, -1]), weights)
    assert loss.item() == pytest.approx(2 * math.log(2), rel=1e-6)


@tables
def test_weights_equal_slow_restatement(counts):
    weights, expected = reweighing(torch.tensor(counts)), slow.reweighing(rows_of(counts))
    for c, row in enumerate(counts):
        for g in range(len(row)):
            assert weights[c, g].item() == pytest.approx(expected.get((c, g), 0.0))


@tables
def test_weighted_classes_and_groups_are_independent_and_keep_their_shares(counts):
    counts = torch.tensor(counts, dtype=torch.float64)
    share = counts * reweighing(counts) / counts.sum()
    if (counts.sum(1, keepdim=True) * counts.sum(0) > 0).logical_and(counts == 0).any():
        assert share.sum() < 1  # what an empty cell should have is nobody's
        return
    torch.testing.assert_close(share.sum(1), counts.sum(1) / counts.sum())
    torch.testing.assert_close(share, share.sum(1, keepdim=True) * share.sum(0))


def test_weights_of_independent_cells_and_of_no_rows():
    torch.testing.assert_close(reweighing(torch.tensor(TABLES["independent"])), torch.ones(3, 2, dtype=torch.float64))
    assert reweighing(torch.zeros(2, 2, dtype=torch.int64)).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize(
    ("labels", "groups"),
    [
        ([0, 1, 2] * 2, [0, 0, 0, 1, 1, 1]), ([1], [1]), ([0, 2, 2], [1, 0, 1]), ([0, 1, 2], [0, 0, 0]),
        ([0, 1, 2, 0], [0, -1, 1, -1]), ([0, 1], [-1, -1]),
    ],
    ids=["even", "one row", "missing class", "missing group", "unknown groups", "unknown groups alone"],
)  # fmt: skip
def test_equals_slow_restatement(labels, groups):
    labels, groups, logits = torch.tensor(labels), torch.tensor(groups), random(len(labels), 3)
    weights = slow.reweighing(rows_of(TABLES["skewed"]))

    def fast(student, _):
        return reweighted_loss(student, labels, groups, reweighing(torch.tensor(TABLES["skewed"])))

    assert_same(fast, lambda student, _: slow.reweighted_loss(student, labels, groups, weights), logits, logits)
    assert_gradcheck(fast, logits, logits)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("promise", [assert_computes_in_full_precision, assert_unmoved_by_autocast])
def test_precision(promise, dtype):
    index = torch.arange(6)
    loss = partial(reweighted_loss, labels=index % 3, groups=index % 2, cell_weights=random(3, 2).abs())
    promise(lambda student, _: loss(student), 3 * random(6, 3), random(1), dtype)


def test_bad_arguments_are_named():
    index = torch.zeros(2, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"to have shape \(3,\), but got \(2,\) and \(2,\)"):
        reweighted_loss(random(3, 2), index, index, torch.ones(2, 2))


def test_term_weighs_by_the_cells_of_the_training_set():
    counts = torch.tensor(TABLES["skewed"])
    term = Reweight().build(term_context(3, 2, cell_counts=counts))
    labels, groups, logits = torch.tensor([0, 1, 2]), torch.tensor([1, 1, 0]), random(3, 3)
    view = step_view({"logits": logits}, {}, labels, groups, num_classes=3, num_groups=2)
    assert_close(term(view), reweighted_loss(logits, labels, groups, reweighing(counts)))
    assert not term.state_dict()
