"""Teachers and students of any kind, trained on a drawn table from options as the command line gives them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import nn

import fairdistill
from fairdistill import models
from fairdistill.errors import DataError, RunFolderError, TeacherError, UsageError
from fairdistill.models import class_logits
from fairdistill.training import TrainOptions, resume, train
from fairdistill.training.setup import prepare
from tests.predictions import networks
from tests.training.faces import OPTIONS, draw_table
from tests.training.test_resume import Killed, assert_same_model, in_step, kill, stopped


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return draw_table(tmp_path / "data")


@pytest.fixture
def options(table: Path, tmp_path: Path) -> Callable[..., TrainOptions]:
    def make(*, data_options: dict[str, Any] | None = None, **changes: Any) -> TrainOptions:
        own = {**OPTIONS, "image_cache": str(tmp_path / "images"), **(data_options or {})}
        head = {"model": "digit_net", "steps": 8, "batch_size": 16, "device": "cpu", "precision": "float32"}
        return TrainOptions(
            **{**head, "data": str(table), "data_options": own, "out": str(tmp_path / "run"), **changes}
        )

    return make


class OneLogit(nn.Module):
    """A deployed model of one output: positive for the second class."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten())
        self.head = nn.Linear(32, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logit: torch.Tensor = self.head(self.body(images))
        return logit


def one_logit() -> nn.Module:
    return OneLogit()


ONE_LOGIT = "tests.training.test_teacher_model:one_logit"


def weights_file(path: Path, network: nn.Module) -> str:
    torch.save(network.state_dict(), path)
    return str(path)


def test_a_teacher_of_weights_and_architecture_teaches_a_student_of_another(options, tmp_path):
    torch.manual_seed(0)
    teacher = weights_file(tmp_path / "deployed.pt", models.build("resnet18", 2))
    run = train(
        options(method="mfd", teacher=teacher, teacher_model="resnet18", teacher_size=32, teacher_mean="0.5"),
        quiet=True,
    )
    result = run.result
    assert result["teacher"]["method"] is None
    assert 0 <= result["teacher"]["accuracy"] <= 1
    student = fairdistill.load(run.path)
    assert not any("projector" in name for name in student.state_dict())
    assert student(torch.zeros(1, 3, 16, 16)).shape == (1, 2)


def test_the_teacher_keeps_its_own_size_mean_and_sd(options, tmp_path):
    teacher = weights_file(tmp_path / "deployed.pt", models.build("cifar_net", 2))
    setup = prepare(
        options(
            method="mfd",
            teacher=teacher,
            teacher_model="cifar_net",
            teacher_size=32,
            teacher_mean="0.1,0.2,0.3",
            teacher_std="0.5",
        )
    )
    recipe = setup.teacher.model.recipe
    assert (recipe.size, recipe.mean, recipe.std) == (32, (0.1, 0.2, 0.3), (0.5, 0.5, 0.5))
    assert setup.data.train.recipe.size == 16
    assert recipe.flip == setup.data.train.recipe.flip


def test_a_run_folder_tells_the_teachers_preparation(options, tmp_path):
    run = train(options(out=str(tmp_path / "teacher"), data_options={"mean": "0.2", "std": "0.3"}), quiet=True)
    setup = prepare(options(method="hkd", teacher=str(run.path), data_options={"mean": "0.2", "std": "0.3"}))
    assert setup.teacher.model.recipe.mean == (0.2, 0.2, 0.2)
    assert setup.teacher.model.recipe == setup.data.train.recipe
    assert setup.teacher.model.trained_by.method == "scratch"


@pytest.mark.parametrize("crop", ["random", "resized"])
def test_with_crops_the_teacher_runs_in_every_step_and_a_killed_run_goes_on_to_the_same_bits(options, tmp_path, crop):
    torch.manual_seed(0)
    teacher = weights_file(tmp_path / "deployed.pt", models.build("cifar_net", 2))
    given = {
        "method": "mfd", "teacher": teacher, "teacher_model": "cifar_net", "teacher_size": 32, "steps": 9,
        "data_options": {"crop": crop},
    }  # fmt: skip
    assert prepare(options(**given)).cache is None
    whole = train(options(**given), quiet=True)
    with stopped(in_step(5, kill), Killed):
        train(options(**given, out=str(tmp_path / "killed")), quiet=True)
    resumed = resume(tmp_path / "killed", quiet=True)
    assert_same_model(resumed, whole)
    assert (resumed.path / "predictions.csv").read_bytes() == (whole.path / "predictions.csv").read_bytes()


def test_a_one_logit_module_of_the_user_is_teacher_and_student(options, tmp_path):
    torch.manual_seed(0)
    teacher = weights_file(tmp_path / "deployed.pt", one_logit())
    run = train(options(method="ss+hkd", model=ONE_LOGIT, teacher=teacher, teacher_model=ONE_LOGIT), quiet=True)
    network = fairdistill.load(run.path)
    assert isinstance(network, OneLogit)
    with (run.path / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert all(float(row["p_0"]) + float(row["p_1"]) == pytest.approx(1, abs=1e-5) for row in rows)
    assert {int(row["pred"]) for row in rows} <= {0, 1}


def test_a_state_dict_of_one_logit_is_read_as_two_classes(options, tmp_path):
    torch.manual_seed(0)
    teacher = weights_file(tmp_path / "deployed.pt", models.build("resnet18", 1))
    run = train(options(method="hkd", teacher=teacher, teacher_model="resnet18", teacher_size=32, steps=2), quiet=True)
    assert run.finished


def test_an_exported_program_is_a_teacher(options, tmp_path):
    torch.manual_seed(0)
    network = models.build("resnet18", 2).eval()
    batch = torch.export.Dim("batch", min=1, max=1024)
    program = torch.export.export(network, (torch.zeros(2, 3, 32, 32),), dynamic_shapes=({0: batch},))
    torch.export.save(program, tmp_path / "deployed.pt2")
    setup = prepare(options(method="mfd", teacher=str(tmp_path / "deployed.pt2")))
    assert setup.teacher.model.recipe.size == 32
    assert train(options(method="mfd", teacher=str(tmp_path / "deployed.pt2")), quiet=True).finished


def test_a_timm_model_is_a_student_and_its_feature_can_be_named(options, tmp_path):
    teacher = weights_file(tmp_path / "deployed.pt", models.build("digit_net", 2))
    run = train(
        options(
            method="mfd", model="timm:mobilenetv3_small_050", tap="conv_head", steps=2,
            teacher=teacher, teacher_model="digit_net",
            data_options={"size": 32}, teacher_size=16,
        ),
        quiet=True,
    )  # fmt: skip
    assert fairdistill.load(run.path)(torch.zeros(1, 3, 32, 32)).shape == (1, 2)


UNUSUAL = [
    "timm:test_convnext",
    "timm:test_mambaout",
    "tests.models.user_net:ConvHeadNet",
    "tests.models.user_net:cosine",
]


@pytest.mark.parametrize("name", UNUSUAL)
def test_a_network_with_an_unusual_head_is_teacher_and_student(options, tmp_path, name):
    torch.manual_seed(0)
    teacher = models.build(name, 2)
    given = {"data_options": {"size": 32}, "steps": 3}
    own = train(
        options(
            method="mfd", teacher=weights_file(tmp_path / "t.pt", teacher), teacher_model=name, model=name, **given
        ),
        quiet=True,
    )
    trained, images = fairdistill.load(own.path), torch.rand(2, 3, 32, 32)
    assert type(trained) is type(teacher)
    assert not torch.equal(logits_of_two(trained, images), logits_of_two(teacher.eval(), images))
    small = options(method="ss+hkd", teacher=str(own.path), model="cifar_net", out=str(tmp_path / "small"), **given)
    assert train(small, quiet=True).result["teacher"]["accuracy"] == own.result["accuracy"]


def logits_of_two(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    given = network(images)
    logits: torch.Tensor = given["logits"] if isinstance(given, dict) else given
    assert logits.shape == (2, 2)
    return logits


NETWORKS = "tests.predictions.networks"
IMAGES = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", ["plain", "softmax", "one_logit", "sigmoid"])
def test_a_teacher_that_names_its_outputs_teaches_in_the_order_of_the_data(options, tmp_path, name):
    network = networks.drawn(getattr(networks, name)(*([2] if name in ("plain", "softmax") else []))).eval()
    torch.save({"state_dict": network.state_dict(), "classes": ["square", "disc"]}, tmp_path / "a.pt")
    given = {"method": "hkd", "teacher": str(tmp_path / "a.pt"), "teacher_model": f"{NETWORKS}:{name}"}
    setup = prepare(options(**given, model=given["teacher_model"], init="teacher", steps=2))
    taught = setup.teacher.network(IMAGES)["logits"].softmax(1)
    outputs = network(IMAGES)
    expected = class_logits(outputs).softmax(1) if name in ("plain", "one_logit") else outputs
    if name == "sigmoid":
        expected = torch.cat([1 - outputs, outputs], 1)
    torch.testing.assert_close(taught, expected.flip(1), atol=1e-5, rtol=1e-5)
    started = class_logits(setup.student.network.eval()(IMAGES)).softmax(1)
    torch.testing.assert_close(started, taught, atol=1e-5, rtol=1e-5)


def test_a_student_that_ends_in_softmax_is_trained_on_logits_and_read_as_probabilities(options, capsys, tmp_path):
    run = train(options(model=f"{NETWORKS}:softmax", steps=4))
    assert "ends in probabilities; it is trained on their logarithms" in capsys.readouterr().err
    network = fairdistill.load(run.path)
    assert isinstance(network, networks.Softmax)
    again = fairdistill.audit(run.path, data=run.config["data"], draws=200, **run.config["data_options"])
    assert again.model.outputs == "probabilities"
    assert again.accuracy.value == run.result["accuracy"]


def test_teachers_of_equal_weights_but_other_outputs_share_no_cache(options, tmp_path):
    path = weights_file(tmp_path / "a.pt", networks.drawn(networks.plain(2)))
    caches = [
        prepare(options(method="hkd", teacher=path, teacher_model=f"{NETWORKS}:{name}")).cache
        for name in ("plain", "softmax")
    ]
    assert caches[0]._path("logits", 0) != caches[1]._path("logits", 0)


def test_a_key_chooses_the_weights_of_the_teacher_and_of_the_start(options, tmp_path):
    raw, averaged = models.build("digit_net", 2), models.build("digit_net", 2)
    torch.save({"model": raw.state_dict(), "model_ema": averaged.state_dict()}, tmp_path / "a.pt")
    path = str(tmp_path / "a.pt")
    given = {"method": "hkd", "teacher": path, "teacher_model": "digit_net", "init": path}
    setup = prepare(options(**given, weights_key="model_ema", teacher_weights_key="model"))
    torch.testing.assert_close(setup.student.network.eval()(IMAGES), averaged.eval()(IMAGES))
    torch.testing.assert_close(setup.teacher.network(IMAGES)["logits"], raw.eval()(IMAGES))
    assert "'model_ema'" in setup.teacher.model.notes[0]


def test_weights_of_another_number_of_classes_start_a_student_with_a_new_last_layer(options, tmp_path, capsys):
    path = weights_file(tmp_path / "pretrained.pt", models.build("digit_net", 10))
    train(options(init=path, steps=2))
    assert "has a different shape, so the student's last layer starts from scratch" in capsys.readouterr().err


def test_broken_images_are_skipped_counted_and_listed(options, table, tmp_path):
    (table.parent / "train/000.png").write_bytes(b"")
    (table.parent / "train/005.png").write_text("no image")
    with pytest.raises(DataError, match=r"2 of 64 images cannot be read: train/000\.png: .*0 bytes.*--skip-broken"):
        train(options(), quiet=True)
    assert not (tmp_path / "run").exists()
    run = train(options(data_options={"skip_broken": True}), quiet=True)
    with (run.path / "skipped.csv").open() as file:
        assert [row["image"] for row in csv.DictReader(file)] == ["train/000.png", "train/005.png"]
    assert run.result["skipped_images"] == 2


def test_duplicates_of_test_pictures_do_not_train_in_the_honest_protocol(options, table):
    (table.parent / "train/003.png").write_bytes((table.parent / "test/001.png").read_bytes())
    setup = prepare(options())
    sources = [set(part.source_ids) for part in (setup.data.train, setup.data.validation, setup.data.test)]
    assert not sources[2] & (sources[0] | sources[1])
    assert any("removed from" in note for note in setup.data.train.notes)


BAD = [
    ({"teacher": "none.pt"}, TeacherError, "there is no teacher .*none.pt; expected a run folder"),
    ({"teacher": "good.pt"}, TeacherError, "name their network with --teacher-model"),
    ({"teacher": "good.pt", "teacher_model": "resnet18"}, UsageError, "do not fit ResNet: missing from it: "),
    (
        {"teacher": "three.pt", "teacher_model": "digit_net"},
        TeacherError,
        "has 3 outputs, but there should be 2, one for each class",
    ),
    ({"teacher": "empty.pt", "teacher_model": "digit_net"}, UsageError, r"empty.pt \(0 bytes\) is damaged"),
    (
        {"teacher": "named.safetensors"},
        TeacherError,
        r"was trained on the classes ring, disc; images.csv/train has disc, square; .*--classes .*'ring'",
    ),
    (
        {"teacher": "damaged.safetensors"},
        RunFolderError,
        "damaged.safetensors has unreadable model metadata",
    ),
    ({"teacher": "good.pt", "teacher_model": "digit_net", "teacher_std": "0"}, UsageError, "three positive numbers"),
    ({"teacher": "good.pt", "teacher_model": "digit_net", "teacher_tap": "layer9"}, UsageError, "layer9"),
    (
        {"teacher": "undefined.pt", "teacher_model": "tests.predictions.networks:undefined"},
        TeacherError,
        "gives outputs that are not finite for images of images.csv/train",
    ),
    ({"tap": "nowhere"}, UsageError, "nowhere"),
    ({"model": "resnet81"}, UsageError, "resnet18"),
    ({"model": "no.such.module:factory"}, UsageError, r"no\.such"),
    (
        {"data_options": {"label": "shap"}},
        DataError,
        "has no column 'shap'; its columns are image, shape, ground, split",
    ),
    ({"data_options": {"classes": "square"}}, DataError, "the class 'disc' is not in --classes square"),
]


@pytest.mark.parametrize(("changes", "error", "text"), BAD, ids=[text for *_, text in BAD])
def test_what_does_not_fit_is_an_error_that_says_the_way_out(options, tmp_path, monkeypatch, changes, error, text):
    monkeypatch.chdir(tmp_path)
    weights_file(tmp_path / "good.pt", models.build("digit_net", 2))
    weights_file(tmp_path / "undefined.pt", networks.drawn(networks.undefined(2)))
    weights_file(tmp_path / "three.pt", models.build("digit_net", 3))
    (tmp_path / "empty.pt").write_bytes(b"")
    described = {"network": "digit_net", "class_names": '["ring", "disc"]'}
    safetensors.torch.save_file(models.build("digit_net", 2).state_dict(), "named.safetensors", metadata=described)
    described["class_names"] = "square, disc"
    safetensors.torch.save_file(models.build("digit_net", 2).state_dict(), "damaged.safetensors", metadata=described)
    with pytest.raises(error, match=text):
        train(options(**{"method": "hkd" if "teacher" in changes else "scratch", **changes}), quiet=True)
    assert not (tmp_path / "run").exists()
