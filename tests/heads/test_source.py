from __future__ import annotations

import pytest
import torch

from fairdistill.heads import Head, HeadFit, ScoredFit, better_source

HEAD = Head(torch.zeros(2, 3), torch.zeros(2))


def scored(method: str, on: str, accuracy: float, **settings: float) -> ScoredFit:
    return ScoredFit(HeadFit(method, settings, on, HEAD, torch.zeros(4, 2), 1.0), accuracy)  # type: ignore[arg-type]


@pytest.mark.parametrize(("validation", "source"), [(0.8, "validation"), (0.7, "train"), (0.75, "train")])
def test_the_source_of_the_more_accurate_heads_and_training_samples_if_equal(validation: float, source: str) -> None:
    assert better_source([scored("fair", "train", 0.75), scored("fair", "validation", validation)]) == source


def test_the_mean_over_what_was_fitted_to_both_decides() -> None:
    fits = [
        scored("fair", "train", 0.7, strength=1.0), scored("fair", "validation", 0.6, strength=1.0),
        scored("fair", "train", 0.7, strength=3.0), scored("fair", "validation", 0.9, strength=3.0),
        scored("balanced", "train", 1.0), scored("afr", "validation", 0.1),
    ]  # fmt: skip
    assert better_source(fits) == "validation"


def test_nothing_is_said_where_nothing_was_fitted_to_both() -> None:
    assert better_source([]) is None
    assert better_source([scored("fair", "train", 0.7), scored("fair", "validation", 0.8, strength=1.0)]) is None
