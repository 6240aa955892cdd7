from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, fields

import pytest

from fairdistill.contract import groups_of
from fairdistill.errors import UsageError
from fairdistill.training import (
    BudgetOptions,
    DataOptions,
    GroupLabelOptions,
    LearningOptions,
    MachineOptions,
    MethodOptions,
    NetworkOptions,
    SamplingOptions,
    TeacherOptions,
    TrainOptions,
)

NAN, INF = float("nan"), float("inf")

# The order of --help and of the keys in config.yaml.
GROUPS = {
    DataOptions: ["data", "data_root", "data_options", "augment"],
    MethodOptions: ["method", "set"],
    NetworkOptions: ["model", "tap"],
    GroupLabelOptions: ["pseudo_groups", "known_groups"],
    TeacherOptions: [
        "init", "weights_key", "teacher", "teacher_model", "teacher_weights_key", "teacher_size",
        "teacher_mean", "teacher_std", "teacher_input", "teacher_outputs", "teacher_tap",
        "teacher_images",
    ],
    BudgetOptions: ["protocol", "epochs", "steps", "keep"],
    LearningOptions: [
        "recipe", "batch_size", "optimizer", "lr", "weight_decay", "schedule", "lr_warmup", "ema", "label_smoothing",
        "alternating_flip", "crop_padding", "cutout", "scratch_weights", "whitening", "dropout",
    ],
    SamplingOptions: ["seed", "split_seed", "strict_cells"],
    MachineOptions: [
        "device", "precision", "compile", "cuda_graph", "threads", "cache_memory", "cache_dir", "teacher_cache",
        "logger", "out",
    ],
}  # fmt: skip


def test_the_options_are_flat_and_in_this_order():
    expected = [name for names in GROUPS.values() for name in names]
    assert [option.name for option in fields(TrainOptions)] == expected
    assert list(asdict(TrainOptions())) == expected


def test_each_option_belongs_to_one_group():
    assert {group: [option.name for option in own] for group, own in groups_of(TrainOptions).items()} == GROUPS


@pytest.mark.parametrize(
    ("group", "bad"),
    [
        (DataOptions, {"data": 3}), (MethodOptions, {"set": ["a"]}), (GroupLabelOptions, {"known_groups": 0.0}),
        (TeacherOptions, {"teacher_size": 0}), (BudgetOptions, {"steps": 0}), (LearningOptions, {"lr": NAN}),
        (SamplingOptions, {"seed": -1}), (MachineOptions, {"threads": 0}), (MachineOptions, {"threads": "all"}),
        (MachineOptions, {"threads": 1_000_000}),
    ],
)  # fmt: skip
def test_a_group_alone_checks_its_own_options(group, bad):
    assert group() == group()
    with pytest.raises(UsageError, match=rf"expected {next(iter(bad))} to "):
        group(**bad)


def test_the_options_are_read_without_pytorch():
    code = "import sys, fairdistill.training as t; t.TrainOptions(); print('torch' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def test_every_name_of_the_face_is_there_and_no_module_hides_it():
    code = (
        "import json, types, fairdistill.training as t; [getattr(t, name) for name in t.__all__];"
        "print(json.dumps([name for name in t.__all__ if isinstance(getattr(t, name), types.ModuleType)]))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == []


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
    with pytest.raises(UsageError, match=r"train has no option 'learning_rate'; it has: .*\blr\b"):
        TrainOptions.from_mapping({"learning_rate": 1e-3})


def test_a_typo_fails_where_the_user_wrote_it():
    with pytest.raises(TypeError, match="learning_rate"):
        TrainOptions(learning_rate=1e-3)  # type: ignore[call-arg]
