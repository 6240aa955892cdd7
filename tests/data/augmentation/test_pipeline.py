from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from fairdistill.data import Recipe
from fairdistill.data.augmentation.pipeline import (
    Normalise,
    Pipeline,
    _resized_crop_batched,
    _resized_crop_on_cpu,
    draw_boxes,
    mirror,
)
from fairdistill.data.images.windows import windows
from tests.data.making import MIRRORED, PLAIN, dataset

CPU = torch.device("cpu")
LABELS, GROUPS = [0, 1] * 20, [0, -1, 1, 1] * 10
INDEX = torch.tensor([7, 3, 3, 39, 0, 12, 21, 8, 15, 30, 2, 1])


def pipeline(recipe: Recipe = MIRRORED, *, seed: int = 0) -> Pipeline:
    return Pipeline(dataset(LABELS, GROUPS, recipe=recipe), device=CPU, seed=seed)


def images_of(index: Tensor) -> Tensor:
    return dataset(LABELS, GROUPS).images[index]


def formula(images: Tensor, recipe: Recipe) -> Tensor:
    mean, std = (torch.tensor(v, dtype=torch.float64).view(1, 3, 1, 1) for v in (recipe.mean, recipe.std))
    return ((images.double() / 255 - mean) / std).float()


def test_a_batch_holds_the_rows_asked_for() -> None:
    batch = pipeline().train_batch(INDEX, step=4)
    assert batch.labels.tolist() == [LABELS[row] for row in INDEX]
    assert batch.groups.tolist() == [GROUPS[row] for row in INDEX]
    assert torch.equal(batch.index, INDEX)
    assert batch.state.shape == INDEX.shape
    assert batch.state.dtype == torch.int64
    assert batch.images.dtype == torch.float32


@pytest.mark.parametrize("step", range(4))
def test_state_says_truly_which_rows_are_mirrored(step: int) -> None:
    batch = pipeline().train_batch(INDEX, step=step)
    plain = formula(images_of(INDEX), MIRRORED)
    expected = torch.stack(
        [image.flip(2) if mirrored else image for image, mirrored in zip(plain, batch.state, strict=True)]
    )
    torch.testing.assert_close(batch.images, expected, rtol=1e-6, atol=1e-6)
    assert set(batch.state.tolist()) == {0, 1}


def test_mirroring_follows_seed_and_step_alone() -> None:
    def states(seed: int, step: int) -> list[int]:
        return pipeline(seed=seed).train_batch(INDEX, step=step).state.tolist()

    used = pipeline(seed=1)
    for step in (9, 2, 5):
        torch.manual_seed(step)
        assert used.train_batch(INDEX, step=step).state.tolist() == states(1, step)
    before = torch.get_rng_state()
    draws = {(seed, step): tuple(states(seed, step)) for seed in range(4) for step in range(4)}
    assert len(set(draws.values())) == len(draws)
    assert torch.equal(torch.get_rng_state(), before)


def test_half_of_the_rows_are_mirrored_and_the_same_row_both_ways() -> None:
    used, row = pipeline(), torch.zeros(10, dtype=torch.int64)
    states = torch.cat([used.train_batch(row, step=step).state for step in range(200)])
    assert abs(states.float().mean().item() - 0.5) < 0.05


@pytest.mark.parametrize("recipe", [MIRRORED, replace(MIRRORED, flip=False), PLAIN, replace(PLAIN, flip=True)])
def test_batch_reproduces_a_training_batch_from_its_index_and_state(recipe: Recipe) -> None:
    used = pipeline(recipe)
    for step in range(3):
        trained = used.train_batch(INDEX, step=step)
        again = pipeline(recipe, seed=99).batch(trained.index, trained.state)
        for name in ("images", "labels", "groups", "index", "state"):
            assert torch.equal(getattr(again, name), getattr(trained, name))


def test_without_a_state_rows_are_as_they_are() -> None:
    batch = pipeline().batch(INDEX)
    assert batch.state.tolist() == [0] * len(INDEX)
    torch.testing.assert_close(batch.images, formula(images_of(INDEX), MIRRORED), rtol=1e-6, atol=1e-6)


def test_images_of_a_recipe_without_flip_stay_as_they_are() -> None:
    used = pipeline(PLAIN)
    for step in range(10):
        batch = used.train_batch(INDEX, step=step)
        assert not batch.state.any()
        assert torch.equal(batch.images, images_of(INDEX).float() / 255)


def test_batches_leave_the_data_set_as_it_is() -> None:
    for recipe in (MIRRORED, PLAIN):
        data = dataset(LABELS, GROUPS, recipe=recipe)
        used = Pipeline(data, device=CPU, seed=0)
        digest = data.digest()
        first = used.train_batch(INDEX, step=0).images.clone()
        used.train_batch(INDEX, step=0).images.zero_()
        assert data.digest() == digest
        assert torch.equal(used.train_batch(INDEX, step=0).images, first)
        assert used.num_rows == 40


@pytest.mark.parametrize(
    "recipe",
    [
        replace(MIRRORED, size=16, stored=(16, 16)),
        Recipe(size=16, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25)),
        Recipe(size=16, std=(1.0, 1.0, 0.5)),
    ],
)
def test_normalisation_equals_the_formula_for_every_value(recipe: Recipe) -> None:
    every = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).repeat(1, 3, 1, 1)
    ours = Normalise(recipe, CPU)(every)
    assert ours.dtype == torch.float32
    torch.testing.assert_close(ours, formula(every, recipe), rtol=2e-6, atol=2e-6)


def test_without_mean_and_sd_values_are_exactly_a_255th() -> None:
    every = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).repeat(1, 3, 1, 1)
    assert (Normalise(PLAIN, CPU)(every).numpy() == every.numpy().astype(np.float32) / np.float32(255)).all()


@pytest.mark.parametrize("recipe", [MIRRORED, replace(MIRRORED, flip=False), PLAIN])
def test_images_are_channels_last(recipe: Recipe) -> None:
    images = pipeline(recipe).train_batch(INDEX, step=0).images
    assert images.shape == (len(INDEX), 3, 5, 5)
    assert images.is_contiguous(memory_format=torch.channels_last)
    assert not images.is_contiguous()


CROPPED = Recipe(size=16, stored=(24, 24), crop="random", flip=True)
BOXED = Recipe(size=16, stored=(20, 30), crop="resized", flip=True)


@pytest.mark.parametrize("recipe", [CROPPED, BOXED])
def test_boxes_lie_in_the_image_and_follow_the_generator(recipe: Recipe) -> None:
    boxes = draw_boxes(recipe, 4000, torch.Generator().manual_seed(0))
    assert torch.equal(boxes, draw_boxes(recipe, 4000, torch.Generator().manual_seed(0)))
    assert (boxes >= 0).all()
    assert (boxes[:, :2] + boxes[:, 2:] <= 1 + 1e-12).all()
    height, width = recipe.stored
    pixels = boxes * torch.tensor([height, width, height, width])
    torch.testing.assert_close(pixels, pixels.round(), rtol=0, atol=1e-9)
    if recipe.crop == "random":
        corners = pixels[:, :2].round().long()
        counts = torch.bincount(corners[:, 0] * 9 + corners[:, 1], minlength=81)
        assert counts.min() > 20  # 49 of each are expected, sd 7
    else:
        area = boxes[:, 2] * boxes[:, 3]
        aspect = pixels[:, 3] / pixels[:, 2]
        assert area.min() > 0.06
        assert area.max() <= 1
        assert 0.6 < aspect.min() < 0.85
        assert 1.2 < aspect.max() < 1.55


def test_where_no_box_fits_the_largest_central_one_is_taken() -> None:
    boxes = draw_boxes(Recipe(size=4, stored=(4, 400), crop="resized"), 200, torch.Generator().manual_seed(0))
    central = torch.tensor([0, (400 - 5) // 2 / 400, 1, 5 / 400], dtype=torch.float64)
    assert (boxes - central).abs().sum(1).min() < 1e-9


def test_windows_are_slices_and_mirror_flips_the_rows_that_say_so() -> None:
    images = torch.randint(0, 256, (6, 24, 24, 3), dtype=torch.uint8).permute(0, 3, 1, 2)
    boxes = draw_boxes(CROPPED, 6, torch.Generator().manual_seed(1))
    cut = windows(images, torch.arange(6), boxes, 16)
    for row, (top, left) in enumerate((boxes[:, :2] * 24).round().long().tolist()):
        assert torch.equal(cut[row], images[row, :, top : top + 16, left : left + 16])
    state = torch.tensor([0, 1, 1, 0, 1, 0])
    for row, image in enumerate(mirror(cut, state)):
        assert torch.equal(image, cut[row].flip(2) if state[row] else cut[row])


def test_both_ways_to_resize_a_box_agree_within_one() -> None:
    images = torch.randint(0, 256, (32, 20, 30, 3), dtype=torch.uint8).permute(0, 3, 1, 2)
    boxes = draw_boxes(BOXED, 32, torch.Generator().manual_seed(2))
    one, other = _resized_crop_on_cpu(images, boxes, 16), _resized_crop_batched(images, boxes, 16)
    assert one.shape == other.shape == (32, 3, 16, 16)
    assert (one.int() - other.int()).abs().max() <= 1


@pytest.mark.parametrize("recipe", [CROPPED, replace(CROPPED, crop="resized")])
def test_a_teacher_of_another_size_sees_the_same_part_of_the_same_picture(recipe: Recipe) -> None:
    ramp = torch.linspace(0, 255, 96)
    picture = torch.stack([ramp.view(-1, 1).expand(96, 96), ramp.expand(96, 96), torch.zeros(96, 96)])
    images = picture.to(torch.uint8).expand(8, 3, 96, 96).contiguous()
    data = replace(dataset([0, 1] * 4, [0, 1] * 4), images=images, recipe=recipe)
    student = Pipeline(data, device=CPU, seed=0)
    teacher = Pipeline(data, device=CPU, seed=0, recipe=recipe.resized(64))
    batch = student.train_batch(torch.arange(8), step=3)
    seen = teacher.images(batch.index, batch.draws)
    assert seen.shape == (8, 3, 64, 64)
    smaller = torch.nn.functional.adaptive_avg_pool2d(seen, 16)
    assert (smaller - batch.images).abs().max() < 0.05
    assert batch.images.flatten(2).std(0).mean() > 0.01  # the crops differ, so that equality says something


def test_another_step_is_another_crop_and_the_same_step_the_same() -> None:
    data = replace(dataset([0, 1] * 4, [0, 1] * 4), recipe=Recipe(size=3, stored=(5, 5), crop="random"))
    rows = torch.arange(8)
    first, second = (Pipeline(data, device=CPU, seed=0) for _ in range(2))
    assert torch.equal(first.train_batch(rows, step=1).images, second.train_batch(rows, step=1).images)
    assert not torch.equal(first.train_batch(rows, step=1).draws.boxes, second.train_batch(rows, step=2).draws.boxes)


def test_a_recipe_says_what_cannot_be() -> None:
    assert Recipe(size=176, stored=(256, 256), crop="random").resized(88) == Recipe(
        size=88, stored=(128, 128), crop="random"
    )
    assert Recipe(size=8).stored == (8, 8)
    with pytest.raises(ValueError, match="at least 16 pixels"):
        Recipe(size=16, stored=(15, 20), crop="random")
    with pytest.raises(ValueError, match="without a crop"):
        Recipe(size=16, stored=(20, 20))
