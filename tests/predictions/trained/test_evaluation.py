from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import replace

import pytest
import torch

from fairdistill.data.augmentation.pipeline import Pipeline
from fairdistill.predictions.trained.evaluation import evaluate, logits_of
from tests.conftest import TinyOptions, tiny_split

CPU = torch.device("cpu")


def small(labels, groups, *, classes=2):
    n = len(labels)
    return replace(
        tiny_split("test", None, TinyOptions()).subset(torch.arange(n)),
        labels=torch.tensor(labels),
        groups=torch.tensor(groups),
        class_names=tuple("abc"[:classes]),
    )


def logits_for(dataset, p_true):
    """Logits of two classes that give the true class a probability."""
    p = torch.tensor(p_true)
    p0 = torch.where(dataset.labels == 0, p, 1 - p)
    return torch.stack([p0, 1 - p0], dim=1).log()


def test_an_evaluation_is_what_a_hand_worked_one_is():
    dataset = small([0, 0, 0, 1, 1, 1], [0, 0, 1, 0, 1, -1])
    p_true = [0.8, 0.7, 0.4, 0.9, 0.6, 0.2]
    judged = evaluate(logits_for(dataset, p_true), dataset)
    losses = [-math.log(p) for p in p_true]
    assert judged.accuracy == pytest.approx(4 / 6)  # the third row is wrong, and the last, of unknown group
    assert judged.counts.tolist() == [[[2, 0], [0, 1]], [[0, 1], [0, 1]]]
    assert judged.loss == pytest.approx(sum(losses) / 6)
    cells = [(losses[0] + losses[1]) / 2, losses[2], losses[3], losses[4]]
    assert judged.cell_loss == pytest.approx(sum(cells) / 4)
    assert (judged.deo_a, judged.deo_m) == (0.5, 1.0)
    assert not judged.collapsed


@pytest.mark.parametrize("groups", [[-1, -1, -1], [0, 0, 1]])
def test_deo_is_nan_where_a_cell_is_empty_or_no_group_is_known(groups):
    dataset = small([0, 1, 1], groups)
    judged = evaluate(logits_for(dataset, [0.9, 0.6, 0.3]), dataset)
    assert math.isnan(judged.deo_a)
    assert math.isnan(judged.deo_m)
    if groups == [-1, -1, -1]:
        assert judged.cell_loss == judged.loss


@pytest.mark.parametrize(("p_true", "classes", "collapsed"), [([0.9, 0.1], 2, True), ([0.9, 0.9], 2, False)])
def test_a_model_that_says_one_class_for_every_row_is_marked(p_true, classes, collapsed):
    dataset = small([0, 1], [0, 1], classes=classes)
    assert evaluate(logits_for(dataset, p_true), dataset).collapsed is collapsed


def test_one_class_alone_is_no_collapse():
    assert not evaluate(torch.zeros(2, 1), small([0, 0], [0, 1], classes=1)).collapsed


@pytest.mark.parametrize("autocast", [nullcontext, lambda: torch.autocast("cpu", dtype=torch.bfloat16)])
def test_logits_are_float32_of_every_row_unmirrored_and_without_gradient(autocast):
    dataset = tiny_split("train", None, TinyOptions(flip=True)).subset(torch.arange(1003) % 72)
    weight = torch.randn(768, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    sizes = []

    def network(images):
        sizes.append(len(images))
        return images.flatten(1) @ weight

    logits = logits_of(network, Pipeline(dataset, device=CPU, seed=0), autocast)
    expected = ((dataset.images / 255 - 0.5) / 0.25).flatten(1) @ weight
    assert (sum(sizes), logits.dtype, logits.requires_grad) == (1003, torch.float32, False)
    assert max(sizes) < 1003
    exact = autocast is nullcontext
    torch.testing.assert_close(logits, expected.detach(), rtol=0, atol=1e-3 if exact else 1.0)
