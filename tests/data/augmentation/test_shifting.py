from __future__ import annotations

from dataclasses import replace

import torch
from torch.nn import functional as F

from fairdistill.data.augmentation.pipeline import Pipeline
from fairdistill.data.augmentation.shifting import cut_out, draw_holes, draw_shifts, shifted
from fairdistill.data.dataset import GroupedDataset
from fairdistill.data.recipe import Augmenting, Recipe

CPU = torch.device("cpu")
SIZE = 12


def images(n: int) -> torch.Tensor:
    return torch.randint(0, 256, (n, 3, SIZE, SIZE), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def pipeline(*, recipe: Recipe | None = None, seed: int = 0, **augmenting) -> Pipeline:
    n, ids = 40, [str(i) for i in range(40)]
    data = GroupedDataset(
        name="made", images=images(n), labels=torch.zeros(n, dtype=torch.int64),
        groups=torch.zeros(n, dtype=torch.int64), ids=ids, source_ids=ids, class_names=("a",),
        group_names=("x",), recipe=recipe or Recipe(size=SIZE, flip=True),
    )  # fmt: skip
    return Pipeline(data, device=CPU, seed=seed, augmenting=Augmenting(**augmenting))


def test_a_shift_is_a_window_of_the_image_padded_with_its_reflection():
    shifts = torch.tensor([[down, right] for down in range(-3, 4) for right in range(-3, 4)])
    pictures = images(len(shifts))
    padded = F.pad(pictures.float(), (3, 3, 3, 3), mode="reflect").to(torch.uint8)
    moved = shifted(pictures, shifts.double() / SIZE)
    for row, (down, right) in enumerate(shifts.tolist()):
        window = padded[row, :, 3 - down : 3 - down + SIZE, 3 - right : 3 - right + SIZE]
        assert torch.equal(moved[row], window)


def test_all_shifts_are_equally_likely():
    pixels = (draw_shifts(20_000, padding=2, size=SIZE, draw=torch.Generator().manual_seed(0)) * SIZE).round().long()
    counts = torch.bincount((pixels[:, 0] + 2) * 5 + pixels[:, 1] + 2)
    assert len(counts) == 25
    assert counts.min() > 700
    assert counts.max() < 900


def test_a_hole_has_one_color_and_leaves_the_rest():
    pictures, color = images(2), torch.tensor([1, 2, 3], dtype=torch.uint8)
    holes = torch.tensor([[4, 2, 3, 3], [-1, 10, 4, 4]], dtype=torch.float64) / SIZE
    seen = cut_out(pictures, holes, color=color)
    expected = pictures.clone()
    expected[0, :, 4:7, 2:5] = color.view(3, 1, 1)
    expected[1, :, 0:3, 10:12] = color.view(3, 1, 1)
    assert torch.equal(seen, expected)


def test_the_center_of_a_hole_is_anywhere_in_the_image():
    holes = (draw_holes(5000, side=4, size=SIZE, draw=torch.Generator().manual_seed(0)) * SIZE).round().long()
    assert holes[:, 2:].unique().tolist() == [4]
    for axis in (0, 1):
        assert (holes[:, axis] + 2).unique().tolist() == list(range(SIZE))


def test_the_changes_of_a_batch_depend_on_its_step_and_the_seed_alone():
    index = torch.arange(20)
    changes = {"crop_padding": 2, "cutout": 4}
    first = pipeline(**changes).train_batch(index, step=3)
    used = pipeline(**changes)
    used.train_batch(index, step=2)
    assert torch.equal(used.train_batch(index, step=3).images, first.images)
    assert not torch.equal(used.train_batch(index, step=4).images, first.images)
    assert not torch.equal(pipeline(seed=1, **changes).train_batch(index, step=3).images, first.images)


def test_images_are_shifted_then_flipped_then_covered():
    batch = pipeline(crop_padding=2, cutout=4).train_batch(torch.arange(20), step=0)
    draws = batch.draws
    moved = shifted(images(20), draws.shifts)
    flipped = torch.stack([each.flip(2) if state else each for each, state in zip(moved, draws.state, strict=True)])
    covered = cut_out(flipped, draws.holes, color=torch.full((3,), 128, dtype=torch.uint8))
    assert torch.equal(batch.images, covered.float() / 255)


def test_a_hole_has_the_mean_color_of_normalized_images():
    recipe = Recipe(size=SIZE, mean=(0.2, 0.4, 0.6), std=(0.5, 0.5, 0.5))
    batch = pipeline(recipe=recipe, cutout=2 * SIZE).train_batch(torch.arange(4), step=0)
    assert batch.images.abs().max() < 0.01


def test_each_process_takes_its_part_of_the_changes():
    class Share:
        alone = False

        def __init__(self, rank: int) -> None:
            self.own = slice(rank, None, 3)

    index = torch.arange(20)
    passes = torch.ones(20, dtype=torch.int64)
    made = {"crop_padding": 2, "cutout": 4, "alternating_flip": True}
    whole = pipeline(**made).train_batch(index, step=1, passes=passes)
    for rank in range(3):
        part = pipeline(**made).train_batch(index, step=1, passes=passes, world=Share(rank))  # type: ignore[arg-type]
        assert torch.equal(part.images, whole.images[rank::3])
        assert part.global_batch_size == 20


def test_a_larger_teacher_sees_the_same_part_of_the_same_images():
    small = pipeline(crop_padding=3, cutout=4)
    batch = small.train_batch(torch.arange(20), step=0)
    large = pipeline(recipe=replace(Recipe(size=SIZE, flip=True).resized(2 * SIZE)), crop_padding=3, cutout=4)
    seen = F.avg_pool2d(large.images(batch.index, batch.draws), 2)
    gray = (batch.images == 128 / 255).all(1)
    assert torch.equal((seen - 128 / 255).abs().amax(1) < 1e-6, gray)


def test_an_image_is_flipped_in_every_second_pass():
    used, index = pipeline(alternating_flip=True), torch.arange(40)
    states = [used.train_batch(index, step=step, passes=torch.full((40,), step)).state for step in range(4)]
    assert 10 < states[0].sum() < 30
    assert torch.equal(states[0] + states[1], torch.ones(40, dtype=torch.int64))
    assert torch.equal(states[0], states[2])
    assert torch.equal(states[1], states[3])


def test_images_that_are_not_flipped_stay_so():
    used = pipeline(recipe=Recipe(size=SIZE), alternating_flip=True)
    assert not used.train_batch(torch.arange(40), step=0, passes=torch.ones(40, dtype=torch.int64)).state.any()
