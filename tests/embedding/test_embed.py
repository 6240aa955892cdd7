from __future__ import annotations

import ast
import json
import math
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fairdistill import data
from fairdistill.embedding import EmbeddedImages, EmbeddedNetwork, EmbedOptions, EmbedResult, embed, features
from fairdistill.errors import DataError, RunFolderError, UsageError
from fairdistill.metrics.leakage import ClassLeakage, Leakage
from fairdistill.metrics.permuted_groups import AgainstChance
from fairdistill.models import build, read_weights
from fairdistill.runs import RunFolder, finite_or_null
from fairdistill.runs.load import load
from fairdistill.training import TrainOptions, train
from tests.conftest import QUICK, TINY, tiny_split
from tests.training.faces import OPTIONS, draw_table

CPU = EmbedOptions(device="cpu", iterations=250)


@pytest.fixture(scope="module")
def trained(tiny_teacher: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An mfd student of the tiny teacher; tests copy it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(data.DATASETS, "tiny", TINY)
        out = tmp_path_factory.mktemp("trained") / "student"
        return train(TrainOptions(**QUICK, method="mfd", teacher=tiny_teacher, out=str(out)), quiet=True).path


@pytest.fixture
def student(tiny: None, trained: Path, tiny_teacher: str, tmp_path: Path) -> Path:
    """A copy of the student and of its teacher, in ``student`` and ``teacher``."""
    shutil.copytree(tiny_teacher, tmp_path / "teacher")
    shutil.copytree(trained, tmp_path / "student")
    config = tmp_path / "student" / "config.yaml"
    config.write_text(config.read_text().replace(tiny_teacher, str(tmp_path / "teacher")))
    return tmp_path / "student"


@pytest.fixture
def instead(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the tiny data set have other test rows than when the runs were trained."""

    def change(**changes: object) -> None:
        def load(wanted, root, options):
            return {split: replace(tiny_split(split, root, options), **changes) for split in wanted}

        monkeypatch.setitem(data.DATASETS, "tiny", replace(TINY, load=load))

    return change


def test_student_and_teacher_are_pictured_on_the_same_rows(student):
    result = embed(student, options=CPU)
    assert list(result.to_dict()) == [
        "format_version", "settings", "tap", "n", "per_cell", "notes", "made_with", "class_names", "group_names",
        "rows", "student", "teacher",
    ]  # fmt: skip
    assert (result.n, result.per_cell) == (30, ((5, 5),) * 3)
    table = RunFolder.open(student).path.joinpath("predictions.csv").read_text().splitlines()[1:]
    then = [line.split(",") for line in table]
    assert result.rows.ids == tuple(row[0] for row in then)
    for name, column in (("labels", 2), ("groups", 3), ("pred", 4)):
        assert getattr(result.rows, name) == tuple(int(row[column]) for row in then)
    assert list(result.networks) == ["student", "teacher"]
    for of in result.networks.values():
        assert np.isfinite(of.coordinates).all()
        assert np.shape(of.coordinates) == (30, 3)
        assert 0 <= of.kl_divergence < 10
        assert of.leakage.rows == 30
        assert of.leakage.majority == 0.5
        assert [found.rows for found in of.leakage.by_class] == [10, 10, 10]
    assert result.student != result.teacher
    assert json.loads((student / "embedding.json").read_text()) == finite_or_null(result.to_dict())


def test_the_features_are_those_that_the_networks_heads_read(student):
    embed(student, options=CPU)
    with np.load(student / "features.npz") as arrays:
        test = tiny_split("test", None, TINY.options())
        assert arrays["ids"].tolist() == list(test.ids)
        assert arrays["labels"].tolist() == test.labels.tolist()
        assert arrays["groups"].tolist() == test.groups.tolist()
        images = (test.images / 255 - 0.5) / 0.25
        for who in ("student", "teacher"):
            network = load(student.parent / who)
            head = list(network.modules())[-1]
            with torch.no_grad():
                logits = head(torch.from_numpy(arrays[who]))
                torch.testing.assert_close(logits, network(images), rtol=0, atol=1e-4)
            assert arrays[who].dtype == np.float32


def test_the_same_options_give_the_same_file_and_another_seed_another_picture(student):
    embed(student, options=CPU)
    first = {name: (student / name).read_bytes() for name in ("embedding.json", "features.npz")}
    embed(student, options=CPU)
    assert (student / "embedding.json").read_bytes() == first["embedding.json"]
    other = embed(student, options=replace(CPU, seed=6))
    assert other.to_dict()["student"]["coordinates"] != json.loads(first["embedding.json"])["student"]["coordinates"]


def test_the_callers_random_numbers_are_left_alone(student):
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002  # the legacy generator is the one that scikit-learn would touch
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    embed(student, options=CPU)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()  # noqa: NPY002


@pytest.mark.parametrize(("tap", "size"), [("embedding", 96), ("feature", 96), ("map", 48 * 16), ("logits", 3)])
def test_every_tap_can_be_pictured_in_two_dimensions_too(student, tap, size):
    result = embed(student, options=replace(CPU, tap=tap, dims=2))
    assert (result.tap, np.shape(result.teacher.coordinates)) == (tap, (30, 2))
    with np.load(student / "features.npz") as arrays:
        assert arrays["student"].shape == arrays["teacher"].shape == (30, size)


def test_a_sample_draws_as_many_of_each_cell_and_leakage_is_still_of_all(student):
    result = embed(student, options=replace(CPU, samples=14))
    assert (result.n, result.per_cell) == (12, ((2, 2),) * 3)
    assert result.student.leakage.rows == 30
    assert embed(student, options=replace(CPU, samples=14)).rows == result.rows
    drawn = {embed(student, options=CPU, samples=14, seed=seed).rows.ids for seed in range(3)}
    assert len(drawn) == 3


def test_small_cells_are_shown_whole_and_empty_ones_and_unknown_groups_are_named(quick, tiny):
    own = {"missing_cell": True, "unknown": 7}
    with pytest.warns(UserWarning, match="nothing can be learned"):
        run = train(quick(data_options=own), quiet=True)
    result = embed(run.path, options=replace(CPU, samples=20))
    assert result.per_cell == ((3, 4), (4, 4), (4, 0))
    assert result.n == 19
    assert result.notes[:3] == (
        "7 of 30 test images are left out because they have no group label",
        "1 of 6 subgroups have no test image",
        "1 of 5 subgroups have fewer than 4 test images and are shown in full",
    )
    third = result.student.leakage.by_class[2]
    assert math.isnan(third.probe)
    assert (third.majority, third.undefined) == (1.0, "all its samples are from one group")
    written = json.loads((run.path / "embedding.json").read_text())
    assert written["student"]["leakage"]["by_class"][2]["probe"] is None
    assert "Class c has no probe: all its samples are from one group." in result.text()


@pytest.mark.parametrize(("given", "used"), [(200.0, 29 / 3), (30.0, 29 / 3), (29.5, 29.5), (7.5, 7.5)])
def test_a_perplexity_that_the_points_do_not_allow_is_lowered_and_said_so(student, given, used):
    result = embed(student, options=replace(CPU, perplexity=given))
    assert result.settings.perplexity == pytest.approx(used)
    notes = [note for note in result.notes if "perplexity" in note]
    assert notes == (
        [f"the perplexity was reduced to 9.667, a third of the 30 points, because {given:g} needs more points"]
        * (used != given)
    )


def test_a_run_without_a_teacher_has_none(tiny, tiny_teacher, tmp_path):
    run = shutil.copytree(tiny_teacher, tmp_path / "run")
    result = embed(run, options=CPU)
    assert result.teacher is None
    assert not any("teacher" in note for note in result.notes)
    assert "teacher" not in result.text()
    with np.load(run / "features.npz") as arrays:
        assert arrays["teacher"].shape == (30, 0)


def test_a_teacher_that_is_gone_is_left_out_with_a_note(student):
    shutil.rmtree(student.parent / "teacher")
    result = embed(student, options=CPU)
    assert result.teacher is None
    (note,) = [note for note in result.notes if "teacher" in note]
    assert note.startswith(f"the teacher is left out: there is no teacher {student.parent / 'teacher'}")
    assert "The teacher is left out" in result.text()


def test_a_teacher_that_has_changed_since_is_left_out_with_a_note(student):
    metadata = {
        "network": "digit_net", "class_names": '["a", "b", "c"]', "image_size": "16", "mean": "[0.5, 0.5, 0.5]",
        "std": "[0.25, 0.25, 0.25]",
    }  # fmt: skip
    RunFolder.open(student.parent / "teacher").write_model(build("digit_net", 3), metadata)
    result = embed(student, options=CPU)
    assert result.teacher is None
    assert any("have changed since this run was trained" in note for note in result.notes)


def test_a_teacher_of_weights_is_seen_with_its_own_preparation_and_places(tmp_path):
    table = draw_table(tmp_path / "data")
    own = {**OPTIONS, "image_cache": str(tmp_path / "images")}
    torch.manual_seed(0)
    weights = tmp_path / "deployed.pt"
    torch.save(build("cifar_net", 2).state_dict(), weights)
    run = train(
        TrainOptions(
            data=str(table), data_options=own, model="digit_net", method="mfd", teacher=str(weights), steps=2,
            teacher_model="cifar_net", teacher_size=32, teacher_mean="0.1", teacher_std="0.5", batch_size=16,
            teacher_tap="embedding=stages.0", device="cpu", precision="float32", out=str(tmp_path / "run"),
        ),
        quiet=True,
    )  # fmt: skip
    embed(run.path, options=CPU)
    test = data.load(str(table), "test", **{**own, "size": 32})
    images = torch.stack([test[row][0] for row in range(len(test))])
    network = build("cifar_net", 2)
    network.load_state_dict(torch.load(weights, weights_only=True))
    with torch.no_grad():
        expected = network.get_submodule("stages.0")((images / 255 - 0.1) / 0.5).flatten(1)
    with np.load(run.path / "features.npz") as arrays:
        torch.testing.assert_close(torch.from_numpy(arrays["teacher"]), expected, rtol=1e-4, atol=1e-4)
        assert arrays["student"].shape == (16, 96)


def test_a_table_that_has_moved_is_found_with_data_root_and_missed_without(tmp_path):
    table = draw_table(tmp_path / "data")
    own = {**OPTIONS, "image_cache": str(tmp_path / "images")}
    run = train(
        TrainOptions(
            data=str(table), data_options=own, model="digit_net", steps=2, batch_size=16, device="cpu",
            precision="float32", out=str(tmp_path / "run"),
        ),
        quiet=True,
    )  # fmt: skip
    here = embed(run.path, options=CPU)
    (tmp_path / "data").rename(tmp_path / "moved")
    with pytest.raises(DataError, match=rf"the data of .* is gone: {table} does not exist; .* --data-root"):
        embed(run.path, options=CPU)
    with pytest.raises(DataError, match=rf"{tmp_path / 'elsewhere' / 'images.csv'} does not exist"):
        embed(run.path, options=replace(CPU, data_root=str(tmp_path / "elsewhere")))
    moved = embed(run.path, options=replace(CPU, data_root=str(tmp_path / "moved")))
    assert moved.student == here.student


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"ids": tuple(f"new-{row}" for row in range(30))},
            "test image 0 has id 'new-0', label 0, group '0', .*csv",
        ),
        ({"labels": torch.zeros(30, dtype=torch.int64)}, "test image 2 has id 'test-2', label 0, .* label 1"),
        ({"groups": torch.full((30,), -1)}, "test image 0 has id 'test-0', label 0, group '', .* group '0'"),
        ({"class_names": ("a", "b", "z")}, r"its names are .*'z'.* those of the run are .*'c'"),
    ],
)
def test_data_that_has_changed_is_refused(student, instead, changes, message):
    instead(**changes)
    with pytest.raises(
        DataError, match=rf"the data of .*student has changed: {message}.*; point --data-root to .*, or train again"
    ):
        embed(student, options=CPU)
    assert not (student / "embedding.json").exists()


def test_data_that_has_lost_its_test_rows_is_refused(student, monkeypatch):
    monkeypatch.setitem(data.DATASETS, "tiny", replace(TINY, load=lambda wanted, root, options: {}))
    with pytest.raises(DataError, match="tiny no longer has a test set; point --data-root"):
        embed(student, options=CPU)


def test_another_number_of_test_rows_is_refused(student):
    path = student / "predictions.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
    with pytest.raises(DataError, match="it has 30 test images, but the run was tested on 29"):
        embed(student, options=CPU)


def test_predictions_that_are_no_classes_are_refused(student):
    path = student / "predictions.csv"
    path.write_text(path.read_text().replace("test-0,test-0,0,0,", "test-0,test-0,0,0,x"))
    with pytest.raises(DataError, match=r"cannot read .*predictions.csv: expected class indices in column pred, .* 'x"):
        embed(student, options=CPU)


def test_images_that_have_changed_under_the_same_names_are_noticed(student, instead):
    instead(images=torch.zeros(30, 3, 16, 16, dtype=torch.uint8))
    notes = embed(student, options=CPU).notes
    assert any("test images differ from predictions.csv" in note for note in notes)


def test_the_same_images_get_the_predictions_of_the_run(student):
    assert not any("differ from predictions.csv" in note for note in embed(student, options=CPU).notes)


def test_no_run_and_an_unfinished_one_are_refused_with_the_way_out(student, tmp_path):
    with pytest.raises(RunFolderError, match="does not exist"):
        embed(tmp_path / "nothing", options=CPU)
    with pytest.raises(RunFolderError, match="is not a run folder"):
        embed(tmp_path, options=CPU)
    (student / "result.json").unlink()
    with pytest.raises(RunFolderError, match=r"is not finished: .* --resume"):
        embed(student, options=CPU)


def test_a_run_in_use_is_refused(student):
    with RunFolder.open(student).lock(), pytest.raises(RunFolderError, match="in use by another process"):
        embed(student, options=CPU)


def test_a_feature_that_the_network_lacks_is_refused_with_those_it_has(student, monkeypatch):
    found = features.find_taps
    monkeypatch.setattr(features, "find_taps", lambda *a, **k: {n: p for n, p in found(*a, **k).items() if n != "map"})
    with pytest.raises(UsageError, match=r"the student's network \(embedding, feature, logits\), but got 'map'"):
        embed(student, options=replace(CPU, tap="map"))


def test_features_that_are_not_finite_are_refused(student):
    run = RunFolder.open(student)
    network = load(student)
    with torch.no_grad():
        next(network.parameters()).fill_(math.nan)
    _, metadata = read_weights(student / "model.safetensors")
    run.write_model(network, metadata)
    with pytest.raises(
        UsageError, match="embedding features of the student are not finite, starting with image test-0"
    ):
        embed(student, options=CPU)


def test_a_sample_smaller_than_the_cells_is_refused(student):
    with pytest.raises(UsageError, match=r"samples to be at least 6, one for each subgroup of tiny/test, but got 5"):
        embed(student, options=replace(CPU, samples=5))


def test_too_few_rows_of_known_group_are_refused(quick, tiny):
    run = train(quick(data_options={"unknown": 27}), quiet=True)
    with pytest.raises(DataError, match="has only 3 images with a group label; a t-SNE plot needs at least 4"):
        embed(run.path, options=CPU)


def test_a_device_that_is_not_there_is_refused(student):
    with pytest.raises(UsageError, match="cannot use device 'abacus'"):
        embed(student, options=EmbedOptions(device="abacus"))


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("tap", "toe", "tap to be one of embedding, map, logits, feature, but got 'toe'"),
        ("dims", 4, "dims to be 2 or 3, but got 4"),
        ("perplexity", 0.5, "perplexity to be at least 1, but got 0.5"),
        ("perplexity", math.nan, "perplexity to be at least 1, but got nan"),
        ("early_exaggeration", 0.0, "early_exaggeration to be at least 1, but got 0.0"),
        ("iterations", 100, "iterations to be at least 250, but got 100"),
        ("metric", "miles", "metric to be one of cosine, euclidean, manhattan, but got 'miles'"),
        ("seed", -1, r"seed to lie in \[0, 2\*\*32\), but got -1"),
        ("samples", 3, "samples to be at least 4, but got 3"),
        ("samples", "all", "samples to be a whole number, but got 'all'"),
    ],
)
def test_an_option_out_of_its_range_is_named_with_what_was_expected(option, value, message):
    with pytest.raises(UsageError, match=f"expected {message}"):
        EmbedOptions(**{option: value})


def test_the_papers_settings_are_the_defaults():
    options = EmbedOptions()
    found = (options.dims, options.perplexity, options.early_exaggeration, options.iterations, options.metric)
    assert found == (3, 200.0, 1.0, 250, "cosine")
    assert options.seed == 5


def test_the_text_puts_the_student_beside_the_teacher():
    def of(probe: float, majority: float) -> EmbeddedNetwork:
        by_class = (
            ClassLeakage(40, probe, majority, None),
            ClassLeakage(9, math.nan, 1.0, "all its samples are from one group"),
        )
        balanced, auc = AgainstChance(probe, 0.5, 0.42, 0.58, 0.012), AgainstChance(probe, 0.5, 0.4, 0.6, 0.034)
        return EmbeddedNetwork(
            coordinates=(),
            kl_divergence=1.2345,
            leakage=Leakage(40, probe, majority, by_class, balanced=balanced, auc=auc),
        )

    text = EmbedResult(
        settings=EmbedOptions(), tap="embedding", n=1200, per_cell=((400, 400), (400, 0)), notes=("a note",),
        made_with={"fairdistill": "1.2.3", "torch": "2.13.0"}, class_names=("disc", "square"), group_names=("a", "b"),
        rows=EmbeddedImages(ids=(), labels=(), groups=(), pred=()), student=of(0.6, 0.5), teacher=of(0.95, 0.5),
    ).text()  # fmt: skip
    assert text.splitlines() == [
        "t-SNE of the embedding features in 3 dimensions: 1,200 test images, 400 from each subgroup (one class of one "
        "group)",
        "perplexity 200, 250 iterations, cosine distance, seed 5; KL divergence 1.234 (student), 1.234 (teacher)",
        "",
        "How often the group can be read from the features within a class, over all test images:",
        "class   images  majority  student's probe  teacher's probe",
        "disc        40     50.0%            60.0%            95.0%",
        "square       9    100.0%        undefined        undefined",
        "all         40     50.0%            60.0%            95.0%",
        "The majority is the share of the largest group in a class, the accuracy of always guessing that group.",
        "",
        "With every group counting equally, and what features that reveal nothing would show (permuted groups):",
        "         balanced accuracy          by chance      p   AUC          by chance      p",
        "student               60.0  50.0 [42.0, 58.0]  0.012  60.0  50.0 [40.0, 60.0]  0.034",
        "teacher               95.0  50.0 [42.0, 58.0]  0.012  95.0  50.0 [40.0, 60.0]  0.034",
        "The further a value is above chance, the more the features reveal about the group. If it is within the 95%",
        "range of chance, a linear model finds no trace of the group.",
        "",
        "Class square has no probe: all its samples are from one group.",
        "A note.",
        "",
        "fairdistill 1.2.3, torch 2.13.0",
    ]


def test_the_room_never_imports_the_trainer():
    for path in Path(str(features.__file__)).parent.glob("*.py"):
        imported = [node.module for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
        assert not [module for module in imported if module and module.startswith("fairdistill.training")]


def test_the_options_need_no_torch():
    command = "import sys, fairdistill.embedding; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command], check=False).returncode == 0
