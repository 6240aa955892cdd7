from __future__ import annotations

from dataclasses import asdict

import pytest

from fairdistill.errors import UsageError
from fairdistill.training import TrainOptions

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("protocol", "fair"), ("optimizer", "rmsprop"), ("schedule", "step"), ("precision", "float16"),
        ("epochs", 0), ("epochs", -1), ("steps", 0), ("batch_size", 0), ("batch_size", 1), ("threads", 0),
        ("lr", 0.0), ("lr", -1.0), ("lr", NAN), ("lr", INF),
        ("weight_decay", -0.1), ("weight_decay", NAN), ("cache_memory", -1.0), ("cache_memory", INF),
        ("seed", -1), ("seed", 2**32), ("split_seed", -1), ("split_seed", 2**32),
    ],
)  # fmt: skip
def test_a_value_out_of_range_is_named_with_what_was_expected(name, bad):
    with pytest.raises(UsageError, match=rf"expected {name} to .*but got {bad!r}"):
        TrainOptions(**{name: bad})


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("steps", 2.5), ("steps", "5"), ("epochs", True), ("batch_size", 64.5), ("seed", 1.5),
        ("lr", "0.1"), ("lr", True), ("compile", "no"), ("device", 3), ("set", ["mfd.strength=7"]),
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_named_with_what_was_expected(name, bad):
    with pytest.raises(UsageError, match=rf"expected {name} to .*but got"):
        TrainOptions(**{name: bad})


def test_two_budgets_exclude_each_other():
    with pytest.raises(UsageError, match="epochs=2 and steps=3 exclude each other"):
        TrainOptions(epochs=2, steps=3)


@pytest.mark.parametrize(
    "good",
    [
        {"seed": 0, "split_seed": 2**32 - 1},
        {"batch_size": 2, "steps": 1, "threads": 1},
        {"epochs": 1, "weight_decay": 0.0, "cache_memory": 0.0, "lr": 1e-12},
    ],
)
def test_the_ends_of_every_range_are_allowed(good):
    assert good.items() <= asdict(TrainOptions(**good)).items()


def test_options_come_back_from_their_mapping():
    options = TrainOptions(method="ss", set={"a.b": 1.0}, data_options={"skew": 0.5}, epochs=3)
    assert TrainOptions.from_mapping(asdict(options)) == options


def test_an_unknown_key_is_named_with_those_there_are():
    with pytest.raises(UsageError, match=r"unknown option 'learning_rate'; train has: .*\blr\b"):
        TrainOptions.from_mapping({"learning_rate": 1e-3})


def test_a_typo_fails_where_the_user_wrote_it():
    with pytest.raises(TypeError, match="learning_rate"):
        TrainOptions(learning_rate=1e-3)  # type: ignore[call-arg]
