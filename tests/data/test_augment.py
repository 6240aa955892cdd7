from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from fairdistill.data import Recipe
from fairdistill.data.augment import Normalise, Pipeline
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


def test_a_recipe_without_flip_has_one_state() -> None:
    assert pipeline().num_states == 2
    used = pipeline(PLAIN)
    assert used.num_states == 1
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
