from __future__ import annotations

import sys
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from fairdistill.data.augmentation.pipeline import Normalise, Pipeline
from fairdistill.data.augmentation.randaug import draw_operations, randaug, randaug_transform
from fairdistill.data.recipe import Augmentation, Augmenting
from fairdistill.errors import UsageError
from tests.data.making import MIRRORED, dataset

CPU = torch.device("cpu")
LABELS, GROUPS = [0, 1] * 20, [0, 1, 1, 1] * 10
INDEX = torch.tensor([7, 3, 3, 39, 0, 12, 21, 8, 15, 30, 2, 1])
LARGER = replace(MIRRORED, size=16, stored=(16, 16))


class Share:
    """One of several processes."""

    alone = False

    def __init__(self, rank: int, size: int) -> None:
        self.own = slice(rank, None, size)


def pictures(n: int, size: int = 16) -> Tensor:
    return torch.randint(
        0, 256, (n, size, size, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    ).permute(0, 3, 1, 2)


def pipeline(policy: Augmentation = "randaug", *, seed: int = 0, recipe=LARGER) -> Pipeline:
    data = replace(dataset(LABELS, GROUPS), images=pictures(40, recipe.size), recipe=recipe)
    return Pipeline(data, device=CPU, seed=seed, augmenting=Augmenting(policy=policy))


def test_each_image_undergoes_the_operations_of_its_seed_as_in_torchvision() -> None:
    images, seeds = pictures(6), torch.tensor([5, 9, 5, 1, 9, 5])
    changed = randaug(images, seeds)
    assert (changed.dtype, changed.shape) == (torch.uint8, images.shape)
    for row, seed in enumerate(seeds.tolist()):
        torch.manual_seed(seed)
        assert torch.equal(changed[row], randaug_transform()(images[row]))


def test_most_images_change_and_no_operation_turns_grey_into_color() -> None:
    grey = pictures(400)[:, :1].expand(-1, 3, -1, -1).contiguous()
    changed = randaug(grey, draw_operations(400, torch.Generator().manual_seed(0)))
    assert (changed != grey).flatten(1).any(1).float().mean() > 0.8
    assert torch.equal(changed[:, 0], changed[:, 1])
    assert torch.equal(changed[:, 0], changed[:, 2])


def test_four_images_share_operations_wherever_they_are_in_the_batch() -> None:
    seeds = torch.stack([draw_operations(120, torch.Generator().manual_seed(step)) for step in range(50)])
    assert all(set(torch.bincount(step.unique(return_inverse=True)[1]).tolist()) == {4} for step in seeds)
    neighbours = (seeds[:, 1:] == seeds[:, :-1]).float().mean().item()
    assert neighbours == pytest.approx(3 / 119, abs=0.01)  # and not three quarters, as of blocks of four
    assert len(draw_operations(1, torch.Generator())) == 1


def test_a_batch_follows_seed_and_step_alone_and_leaves_random_numbers_as_they_are() -> None:
    used, before = pipeline(seed=1), torch.get_rng_state()
    for step in (9, 2, 5):
        batch, again = (each.train_batch(INDEX, step=step) for each in (used, pipeline(seed=1)))
        assert torch.equal(batch.images, again.images)
        assert torch.equal(batch.draws.operations, again.draws.operations)
    assert torch.equal(torch.get_rng_state(), before)
    others = [pipeline(seed=1).train_batch(INDEX, step=6), pipeline(seed=2).train_batch(INDEX, step=5)]
    assert not any(torch.equal(other.images, batch.images) for other in others)


def test_it_comes_after_the_flips_and_before_the_normalization() -> None:
    plain, changed = (pipeline(name).train_batch(INDEX, step=3) for name in ("standard", "randaug"))
    assert torch.equal(plain.state, changed.state)
    assert plain.draws.operations is None
    flipped = torch.stack(
        [image.flip(2) if mirrored else image for image, mirrored in zip(pictures(40)[INDEX], plain.state, strict=True)]
    )
    assert torch.equal(changed.images, Normalise(LARGER, CPU)(randaug(flipped, changed.draws.operations)))
    assert changed.images.is_contiguous(memory_format=torch.channels_last)


def test_several_processes_change_their_images_as_one_does() -> None:
    whole = pipeline().train_batch(INDEX, step=4)
    for rank in range(3):
        part = pipeline().train_batch(INDEX, step=4, world=Share(rank, 3))  # type: ignore[arg-type]
        assert torch.equal(part.images, whole.images[rank::3])
        assert torch.equal(part.draws.operations, whole.draws.operations[rank::3])


def test_a_pipeline_without_it_can_repeat_a_batch_for_a_teacher() -> None:
    batch = pipeline().train_batch(INDEX, step=4)
    seen = pipeline("standard").images(batch.index, batch.draws)
    assert torch.equal(seen, batch.images)


def test_images_outside_training_are_as_they_are() -> None:
    assert torch.equal(pipeline().batch(INDEX).images, pipeline("standard").batch(INDEX).images)


def test_without_torchvision_the_error_says_how_to_install_it(monkeypatch) -> None:
    randaug_transform.cache_clear()
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(
        UsageError, match=r"this needs torchvision; install it with: pip install 'fairdistill\[vision\]'"
    ):
        pipeline()
    pipeline("standard")
