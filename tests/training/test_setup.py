from __future__ import annotations

import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import safetensors.torch
import torch

from fairdistill.data.augmentation.pipeline import Pipeline
from fairdistill.errors import (
    DataError,
    FairdistillError,
    MethodError,
    RunFolderError,
    TeacherError,
    UsageError,
)
from fairdistill.models import cifar_net, digit_net
from fairdistill.runs.folder import RunFolder
from fairdistill.runs.load import load
from fairdistill.training import Setup, TrainOptions, prepare, train
from fairdistill.training.machine import cost
from fairdistill.training.settings.recipe import Learning
from tests.conftest import TinyOptions


def weights(setup_or_network):
    network = setup_or_network.student.network if isinstance(setup_or_network, Setup) else setup_or_network
    return network.state_dict()


def equal(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_every_default_is_filled_in_as_the_run_folder_will_say(tiny, tiny_teacher, monkeypatch):
    monkeypatch.delenv("FAIRDISTILL_DATA", raising=False)
    setup = prepare(TrainOptions(data="tiny", method="FitNet+SS", teacher=tiny_teacher, device="cpu"))
    assert setup.options == TrainOptions(
        data="tiny",
        data_options=asdict(TinyOptions()),
        method="ss+fitnet",
        teacher=str(Path(tiny_teacher).absolute()),
        set={"hint.strength": 1.0, "kd.temperature": 3.0, "kd.strength_start": 4.0, "kd.strength_end": 1.0},
        model="digit_net",
        epochs=50,
        keep="loss",
        **asdict(Learning()),
        split_seed=0,
        device="cpu",
        precision=setup.options.precision,
        threads="auto",
        out="runs/tiny-ss+fitnet-seed0",
    )
    assert setup.options.precision in ("float32", "bfloat16")


def test_the_data_root_is_the_option_else_the_environments(tiny, monkeypatch):
    monkeypatch.setenv("FAIRDISTILL_DATA", "/from/environment")
    assert prepare(TrainOptions(data="tiny")).options.data_root == "/from/environment"
    assert prepare(TrainOptions(data="tiny", data_root="/given")).options.data_root == "/given"


def test_honest_cuts_a_validation_set_from_every_cell_and_keeps_the_test_set_apart(quick):
    setup = prepare(quick())
    assert (len(setup.data.train), len(setup.data.validation), len(setup.data.test)) == (66, 6, 30)
    assert setup.data.validation.cell_counts().flatten().tolist() == [1] * 6
    assert not {*setup.data.train.ids} & {*setup.data.validation.ids}
    assert setup.data.test.name == "tiny/test"


def test_a_data_set_with_a_validation_split_of_its_own_is_not_cut():
    setup = prepare(TrainOptions(data="digits-s", device="cpu"))
    assert (len(setup.data.train), setup.data.validation.name, len(setup.data.validation)) == (
        1000,
        "digits-s/val",
        400,
    )


def test_paper_validates_on_the_test_set_trains_on_every_row_and_colours_by_the_runs_seed(quick):
    setup = prepare(quick(protocol="paper", seed=3))
    assert (len(setup.data.train), setup.data.validation.name, setup.options.data_options["data_seed"]) == (
        72,
        "tiny/test",
        3,
    )
    given = prepare(quick(protocol="paper", seed=3, data_options={"data_seed": 1}))
    assert given.options.data_options["data_seed"] == 1
    assert prepare(quick(seed=3)).options.data_options["data_seed"] == 0


def test_a_student_of_a_seed_starts_from_the_weights_that_the_teacher_of_that_seed_started_from(quick, tiny_teacher):
    teacher, student = prepare(quick(seed=0)), prepare(quick(seed=0, method="mfd", teacher=tiny_teacher))
    other = prepare(quick(seed=1))
    assert equal(weights(teacher), weights(student))
    assert not equal(weights(teacher), weights(other))
    assert not equal(weights(student), weights(load(tiny_teacher)))  # the teacher has learned since


def test_a_student_takes_its_teachers_data_options_and_split(quick, make_teacher):
    options = {"data_seed": 7, "flip": False, "missing_cell": False, "unknown": 4}
    teacher = make_teacher(data_options=options, split_seed=5)
    setup = prepare(quick(method="mfd", teacher=teacher))
    assert setup.options.split_seed == 5
    # what does not identify the data, such as where to download it, is the student's own
    assert setup.options.data_options == {**options, "unknown": 0}
    of_teacher = prepare(quick(data_options={"data_seed": 7, "flip": False}, split_seed=5))
    assert setup.data.train.digest() == of_teacher.data.train.digest()
    assert setup.data.validation.ids == of_teacher.data.validation.ids
    assert setup.data.validation.ids != prepare(quick(split_seed=6)).data.validation.ids
    same = {"data_seed": 7, "flip": False}
    assert prepare(quick(method="mfd", teacher=teacher, data_options=same, split_seed=5)).options.split_seed == 5


def test_a_teacher_of_the_paper_protocol_teaches_in_it(quick, make_teacher):
    setup = prepare(quick(method="mfd", protocol="paper", teacher=make_teacher(protocol="paper"), split_seed=3))
    assert (len(setup.data.train), setup.data.validation.name) == (72, "tiny/test")


def test_a_teacher_of_another_data_set_gives_its_knowledge_and_nothing_else(quick, make_teacher):
    teacher = make_teacher(data="elsewhere", data_options={"zoom": 2}, split_seed=5)
    assert prepare(quick(method="mfd", teacher=teacher)).options.split_seed == 0


def test_the_student_starts_from_the_teacher_or_from_a_file_if_so_asked(quick, tiny_teacher, tmp_path):
    assert equal(weights(prepare(quick(init="teacher", teacher=tiny_teacher))), weights(load(tiny_teacher)))
    network = digit_net(3)
    safetensors.torch.save_file(network.state_dict(), tmp_path / "start.safetensors")
    assert equal(weights(prepare(quick(init=str(tmp_path / "start.safetensors")))), weights(network))


def test_a_student_that_starts_from_the_teacher_has_its_network_unless_it_is_named_another(quick, make_teacher):
    other = make_teacher(network="resnet18")
    setup = prepare(quick(init="teacher", teacher=other))
    assert setup.options.model == "resnet18"
    assert equal(weights(setup), weights(load(other)))
    assert prepare(quick(method="hkd", teacher=other)).options.model == "digit_net"
    with pytest.raises(UsageError, match="do not fit ConvNet"):
        prepare(quick(init="teacher", teacher=other, model="digit_net"))
    with pytest.raises(UsageError, match="the network own:code is code that a file names"):
        prepare(quick(init="teacher", teacher=make_teacher("unknown", network="own:code")))


def test_a_teacher_is_known_by_its_weights_whatever_the_file_looks_like(quick, make_teacher):
    digests = set()
    for name in "abcdef":
        torch.manual_seed(0)
        digests.add(prepare(quick(method="hkd", teacher=make_teacher(name))).digests["teacher"])
    torch.manual_seed(1)
    other = prepare(quick(method="hkd", teacher=make_teacher("other"))).digests["teacher"]
    assert len(digests) == 1
    assert other not in digests


def test_only_what_a_method_reads_of_its_teacher_is_cached(quick, tiny_teacher):
    setup = prepare(quick(method="mfd", teacher=tiny_teacher))
    assert setup.cache.num_bytes == 2 * 66 * 96 * 4
    assert prepare(quick(method="ss", teacher=tiny_teacher)).cache is None
    assert prepare(quick(method="mfd", teacher=tiny_teacher, teacher_cache=False)).cache is None
    # 2 * 66 images in 5 steps of 22 would not all be seen
    assert prepare(quick(method="hkd", teacher=tiny_teacher, steps=5)).cache is None


SAME, OTHER = asdict(TinyOptions()), asdict(TinyOptions(data_seed=1))


@pytest.mark.parametrize(
    ("teacher", "changes", "shared"),
    [
        pytest.param({}, {"method": "fitnet", "seed": 3, "lr": 0.1}, True, id="another method"),
        pytest.param({}, {"precision": "bfloat16"}, False, id="another precision"),
        pytest.param({"split_seed": 1}, {}, False, id="another split"),
        pytest.param({"data_options": OTHER}, {}, False, id="other images"),
        pytest.param({"data_options": {**SAME, "flip": False}}, {}, False, id="no mirroring"),
        pytest.param({"weights": 1}, {}, False, id="another teacher"),
    ],
)
def test_methods_share_a_cache_and_what_changes_the_features_changes_the_cache(
    quick, make_teacher, tmp_path, teacher, changes, shared
):
    def cached_bytes(changes, *, fill=False):
        setup = prepare(quick(**{"method": "hkd", "cache_dir": str(tmp_path / "cache"), **changes}))
        if fill:
            pipeline = Pipeline(setup.data.train, device=torch.device("cpu"), seed=0)
            setup.cache.load(setup.teacher.network, pipeline, setup.runtime, memory=0, progress=str)
        return setup.cache.num_bytes - setup.cache.missing_bytes

    first, second = (
        make_teacher("first"),
        make_teacher("second", **{k: v for k, v in teacher.items() if k != "weights"}),
    )
    if "weights" not in teacher:
        shutil.copy(f"{first}/model.safetensors", second)
    full = cached_bytes({"teacher": first}, fill=True)
    assert full > 0
    assert (cached_bytes({"teacher": second, **changes}) > 0) == shared
    cached_bytes({"teacher": second, **changes}, fill=True)
    assert cached_bytes({"teacher": first}) == full


def test_an_empty_cell_is_a_warning_that_names_it_once(quick):
    with pytest.warns(UserWarning, match=r"empty subgroups \(class, group\): \(c, y\)") as caught:
        prepare(quick(method="ss", data_options={"missing_cell": True}))
    assert len(caught) == 1


def test_an_estimate_leaves_the_student_its_hooks_and_the_random_numbers_alone(quick, tiny_teacher):
    setup = prepare(quick(method="mfd", teacher=tiny_teacher))
    before = {name: value.clone() for name, value in weights(setup).items()}
    state = torch.get_rng_state()
    pipeline = Pipeline(setup.data.train, device=torch.device("cpu"), seed=0)
    estimate = cost.estimate(setup, pipeline)
    assert torch.equal(torch.get_rng_state(), state)
    assert equal(before, weights(setup))
    assert all(p.grad is None for p in setup.student.network.parameters())
    parameters = sum(p.numel() for p in setup.student.network.parameters()) * 4
    assert estimate.disk >= setup.cache.num_bytes + 3 * parameters  # weights and two moments
    assert estimate.seconds > 0
    assert estimate.memory > setup.cache.num_bytes


BAD = [
    ({"data": "digit-s"}, UsageError, "did you mean 'digits-s'"),
    ({"data_options": {"scew": 1}}, UsageError, "'tiny' has no option 'scew'"),
    ({"method": "mdf"}, MethodError, "did you mean 'mfd'"),
    ({"method": "mfd", "set": {"mfd.lambda": 1}}, MethodError, "no setting 'mfd.lambda'"),
    ({"model": "cifarnet"}, UsageError, "did you mean 'cifar_net'"),
    ({"device": "banana"}, UsageError, "cannot use device 'banana'"),
    ({"method": "mfd"}, TeacherError, "'mfd' needs a teacher: train one with"),
    ({"teacher": "nowhere"}, TeacherError, "there is no teacher .*nowhere; expected a run folder, a weights file"),
    ({"teacher": "unfinished"}, RunFolderError, "not finished"),
    ({"teacher": "classes"}, TeacherError, r"was trained on the classes a, b; tiny/train has a, b, c"),
    (
        {"teacher": "good", "teacher_size": 32},
        UsageError,
        r"cannot take images of shape \(3, 32, 32\).*--teacher-size 16",
    ),
    ({"teacher": "good", "split_seed": 1}, TeacherError, "split_seed 0, not 1.*drop --split-seed"),
    (
        {"teacher": "good", "data_options": {"data_seed": 1}},
        TeacherError,
        "data_seed 0, not 1.*drop --data-seed",
    ),
    ({"teacher": "paper"}, TeacherError, "was trained on every training image"),
    ({"init": "teacher"}, UsageError, "--init teacher needs --teacher"),
    ({"init": "teacher", "teacher": "wide"}, UsageError, "it takes 3 channels and 32 x 32 pixels; set --size 32"),
    (
        {"init": "teacher", "teacher": "wide", "model": "digit_net"},
        UsageError,
        "do not fit ConvNet: of another shape: stages.0.weight",
    ),
    ({"init": "no.safetensors"}, UsageError, r"there is no file .*no\.safetensors"),
    ({"init": "text.safetensors"}, UsageError, "is damaged or incomplete, or not a .safetensors file"),
    ({"init": "other.safetensors"}, UsageError, r"other\.safetensors do not fit ConvNet: .*stages.0.weight"),
    ({"protocol": "paper", "batch_size": 73}, UsageError, "72 samples, fewer than one batch of 73"),
    ({"data_options": {"missing_cell": True}, "strict_cells": True}, DataError, r"empty subgroups .*: \(c, y\)"),
]


@pytest.mark.parametrize(("changes", "error", "text"), BAD, ids=[text for *_, text in BAD])
def test_what_does_not_fit_is_an_error_and_nothing_is_written(
    quick, make_teacher, tmp_path, monkeypatch, changes, error, text
):
    monkeypatch.chdir(tmp_path)
    match changes.get("teacher"):
        case "unfinished":
            make_teacher("unfinished", finished=False)
        case "classes":
            make_teacher("classes", class_names=("a", "b"))
        case "wide":
            make_teacher("wide", network="cifar_net", image_size=32)
        case "good":
            make_teacher("good")
        case "paper":
            make_teacher("paper", protocol="paper")
    safetensors.torch.save_file(cifar_net(3).state_dict(), "other.safetensors")
    (tmp_path / "text.safetensors").write_text("no weights")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(error, match=text):
        train(quick(**{"out": "new/folder/run", **changes}), quiet=True)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_full_disk_is_an_error_before_anything_is_written(quick, tmp_path, monkeypatch):
    usage = cost.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(cost.shutil, "disk_usage", lambda path: usage._replace(free=10))
    with pytest.raises(UsageError, match=r"would write .* MiB to the disk of .*, which has .* free.*--out"):
        train(quick(), quiet=True)
    assert list(tmp_path.iterdir()) == []


def test_a_run_folder_that_exists_is_refused_before_the_data_is_read(quick, make_teacher):
    existing = make_teacher("existing")
    with pytest.raises(RunFolderError, match=r"exists already.*--resume"):
        train(quick(out=existing, data="unheard of"), quiet=True)


def test_a_default_run_folder_that_exists_is_refused_too(quick, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    RunFolder.create(tmp_path / "runs" / "tiny-ss-seed0", config={}, environment={})
    with pytest.raises(FairdistillError, match="runs/tiny-ss-seed0 exists already"):
        train(replace(quick(method="ss"), out=None), quiet=True)
