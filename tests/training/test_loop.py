from __future__ import annotations

import csv
import dataclasses
import random
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

import fairdistill
from fairdistill import data, losses, methods, paper
from fairdistill.data.augmentation.pipeline import Pipeline
from fairdistill.errors import NonFiniteLossError, UsageError
from fairdistill.metrics import deo_a, deo_m, group_counts
from fairdistill.models import digit_net, read_weights
from fairdistill.training import TrainOptions, train
from fairdistill.training.networks.teacher_cache import LiveTeacher
from fairdistill.training.progress import evaluation
from tests.all_methods import BEYOND_THE_PAPER
from tests.conftest import FEW_DIGITS, TINY

CPU = torch.device("cpu")
FILES = {
    ".lock", "checkpoint/state.pt", "config.yaml", "environment.json", "log.jsonl", "model.safetensors",
    "predictions.csv", "result.json", "validation_predictions.csv",
}  # fmt: skip


def table(run, name="predictions.csv"):
    with (run.path / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = {name: np.array([int(row[name] or -1) for row in rows]) for name in ("label", "group", "pred")}
    scores = [column for column in rows[0] if column.startswith("p_")]
    columns["p"] = np.array([[float(row[score]) for score in scores] for row in rows])
    columns["id"] = [row["id"] for row in rows]
    return columns


def recounted(run, name="predictions.csv"):
    """What a run's predictions say, counted again."""
    rows, result = table(run, name), run.result
    classes, groups = len(result["class_names"]), len(result["group_names"])
    counts = group_counts(rows["label"], rows["pred"], rows["group"], num_classes=classes, num_groups=groups)
    accuracy = float((rows["label"] == rows["pred"]).mean())
    return {"counts": counts.tolist(), "accuracy": accuracy, "deo_a": deo_a(counts), "deo_m": deo_m(counts)}


def assert_agrees_with_its_predictions(run):
    again = recounted(run)
    assert {name: run.result[name] for name in again} == again


def same_weights(run, other):
    (one, _), (two, _) = (read_weights(each.path / "model.safetensors") for each in (run, other))
    return all(torch.equal(one[name], two[name]) for name in one)


DIGITS = {"data": "few-digits", "steps": 6, "batch_size": 40, "device": "cpu", "precision": "float32"}


@pytest.fixture(scope="session")
def digits_teacher(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(data.DATASETS, "few-digits", FEW_DIGITS)
        return train(TrainOptions(**DIGITS, out=str(tmp_path_factory.mktemp("digits") / "teacher")), quiet=True)


@pytest.mark.parametrize("row", [*dict.fromkeys((*paper.ROWS, *methods.METHODS)), "dro+hkd", "di+hkd"])
def test_every_method_trains_and_writes_a_run_folder_that_agrees_with_itself(row, digits_teacher, few_digits, tmp_path):
    teacher = None if row == "scratch" else str(digits_teacher.path)
    run = train(TrainOptions(**DIGITS, method=row, teacher=teacher, out=str(tmp_path / "run")), quiet=True)
    method = methods.parse(row, data=few_digits)

    files = {str(path.relative_to(run.path)) for path in run.path.rglob("*") if path.is_file()}
    assert files == FILES | ({"teacher_predictions.csv"} if teacher else set())

    result, test = run.result, data.load(few_digits, "test")
    assert_agrees_with_its_predictions(run)
    assert np.sum(result["counts"]) == result["test_rows"] == len(test)
    assert table(run)["id"] == list(test.ids)
    assert np.argmax(table(run)["p"], axis=1).tolist() == table(run)["pred"].tolist()
    assert table(run)["p"].sum(axis=1) == pytest.approx(1)
    assert (result["class_names"], result["group_names"]) == (list(test.class_names), list(test.group_names))
    assert (result["empty_cells"], result["checkpoint_step"]) == ([], 6)
    assert result["budget"] == {"steps": 6, "samples": 240, "epochs": 0.8}
    assert result["unknown_groups"] == {"train": 0, "validation": 0, "test": 0}
    assert min(result["seconds"], result["samples_per_second"], result["peak_memory_bytes"]) > 0
    assert result["digests"]["data"] == data.load(few_digits, "train").digest()
    if teacher:
        of_teacher = recounted(run, "teacher_predictions.csv")
        assert result["teacher"]["accuracy"] == of_teacher["accuracy"] == digits_teacher.result["accuracy"]
        np.testing.assert_allclose(table(run, "teacher_predictions.csv")["p"], table(digits_teacher)["p"], atol=1e-5)
    else:
        assert result["teacher"] is result["digests"]["teacher"] is None

    stages = [("main", method.terms)] if not method.warmup else [("warmup", method.warmup), ("main", method.terms)]
    log = run.read_log()
    assert [(line["stage"], set(line["loss"])) for line in log] == [
        (stage, {term.name for term in terms}) for stage, terms in stages
    ]
    assert [line["epoch"] for line in log] == list(range(1, len(log) + 1))
    assert log[-1]["step"] == 6
    assert {line["evaluation"]["split"] for line in log} == {"validation"}
    assert all(np.isfinite(list(line["loss"].values())).all() for line in log)

    assert (run.config["method"], run.config["set"]) == (row, method.settings)
    assert run.environment["seed"] == 0
    assert run.environment["packages"]["torch"] == torch.__version__
    network = fairdistill.load(run.path)
    images = Pipeline(test, device=CPU, seed=0).batch(torch.arange(50)).images
    np.testing.assert_allclose(network(images).softmax(1).detach().numpy(), table(run)["p"][:50], atol=1e-5)


def test_training_makes_a_better_student_than_its_initial_weights(quick, tiny_teacher):
    run = train(quick(method="mfd", teacher=tiny_teacher, steps=60, lr=0.01), quiet=True)
    log = run.read_log()
    assert log[-1]["loss"]["ce"] < 0.5 * log[0]["loss"]["ce"]
    whole = next(row for row in log if row["step"] > 60 // 3 + 3)  # the first whose steps all had the full strength
    assert log[-1]["loss"]["mfd"] < whole["loss"]["mfd"]
    assert run.result["accuracy"] > 0.8
    assert not run.result["collapsed"]


def test_the_same_seed_gives_the_same_bits_and_another_seed_gives_others(quick, tiny_teacher, tmp_path):
    one, two, other = (
        train(quick(method="mfd", teacher=tiny_teacher, seed=seed, out=str(tmp_path / name)), quiet=True)
        for name, seed in (("one", 1), ("two", 1), ("other", 2))
    )
    assert same_weights(one, two)
    assert (one.path / "predictions.csv").read_bytes() == (two.path / "predictions.csv").read_bytes()
    assert [row["loss"] for row in one.read_log()] == [row["loss"] for row in two.read_log()]
    assert not same_weights(one, other)


def test_options_are_given_as_keywords_too_and_keywords_win(quick, tmp_path):
    options = quick(steps=2)
    run = train(options, quiet=True, seed=3, out=str(tmp_path / "keywords"))
    other = train(**dataclasses.asdict(dataclasses.replace(options, seed=3, out=str(tmp_path / "alone"))), quiet=True)
    assert (run.path.name, run.config["seed"], run.config["steps"]) == ("keywords", 3, 2)
    assert same_weights(run, other)
    with pytest.raises(UsageError, match="TrainOptions has no option 'step'; did you mean 'steps'"):
        train(options, quiet=True, step=3)


def test_a_cached_and_a_live_teacher_teach_the_same(quick, tiny_teacher, tmp_path):
    logs = []
    for cached in (True, False):
        options = quick(method="mfd+hkd", teacher=tiny_teacher, teacher_cache=cached, out=str(tmp_path / str(cached)))
        logs.append([row["loss"] for row in train(options, quiet=True).read_log()])
    assert len(list((tmp_path / ".teacher-cache").glob("*.bin"))) == 4  # two features in two states
    for one, other in zip(*logs, strict=True):
        assert one == pytest.approx(other, rel=1e-3)


@pytest.mark.parametrize("method", ["mfd", *BEYOND_THE_PAPER])
def test_bfloat16_trains_float32_weights(quick, tiny_teacher, method):
    run = train(quick(method=method, teacher=tiny_teacher, precision="bfloat16", steps=4), quiet=True)
    weights, _ = read_weights(run.path / "model.safetensors")
    assert {value.dtype for value in weights.values()} == {torch.float32}
    assert_agrees_with_its_predictions(run)


def random_states():
    return [torch.get_rng_state().tolist(), str(np.random.get_state()), random.getstate()]  # noqa: NPY002


@pytest.mark.parametrize("lr", [0.01, 1e6])
def test_the_callers_random_numbers_are_left_alone_even_by_a_run_that_fails(quick, lr):
    before = random_states()
    if lr == 0.01:
        train(quick(lr=lr), quiet=True)
    else:
        with pytest.raises(NonFiniteLossError):
            train(quick(lr=lr), quiet=True)
    assert random_states() == before


def test_a_loss_that_is_not_finite_stops_the_run_at_its_step_and_names_the_term(quick, tiny_teacher, monkeypatch):
    forward, calls = losses.kd.KDTerm.forward, []

    def breaks(self, view):
        calls.append(1)
        return forward(self, view) * (float("inf") if len(calls) == 5 else 1)

    monkeypatch.setattr(losses.kd.KDTerm, "forward", breaks)
    options = quick(method="hkd", teacher=tiny_teacher)
    with pytest.raises(NonFiniteLossError, match=r"^the loss part 'kd' is not finite at step 5\."):
        train(options, quiet=True)
    out = Path(options.out)
    assert not (out / "result.json").exists()
    assert torch.load(out / "checkpoint" / "state.pt", weights_only=True)["step"] == 3  # the last checkpoint stays


@pytest.mark.parametrize(("protocol", "ramps"), [("honest", [0.5, 1, 1, 1, 1, 1]), ("paper", [1] * 6)])
def test_terms_that_start_gently_are_told_how_far_they_are(quick, monkeypatch, protocol, ramps):
    forward, seen = losses.self_mfd.SelfMFDTerm.forward, []

    def watched(self, view):
        seen.append(view.ramp)
        return forward(self, view)

    monkeypatch.setattr(losses.self_mfd.SelfMFDTerm, "forward", watched)
    train(quick(method="mfd-self", protocol=protocol, steps=6), quiet=True)
    assert seen == ramps


def test_a_rate_that_is_far_too_high_stops_the_run(quick):
    with pytest.raises(NonFiniteLossError, match="'ce' is not finite at step 2"):
        train(quick(lr=1e6), quiet=True)


def test_a_last_step_that_ruins_the_weights_is_no_finished_run(quick, tmp_path):
    with pytest.raises(NonFiniteLossError):
        train(quick(lr=1e6, steps=1), quiet=True)
    assert not (tmp_path / "run" / "result.json").exists()


@pytest.mark.parametrize("method", ["scratch", "dro"])
def test_a_collapsed_model_is_marked_and_said(quick, tmp_path, capsys, method):
    zeros = {name: torch.zeros_like(value) for name, value in digit_net(3).state_dict().items()}
    safetensors.torch.save_file(zeros, tmp_path / "zeros.safetensors")
    # no activation is ever positive, so that the output is the same for every image
    run = train(quick(method=method, init=str(tmp_path / "zeros.safetensors"), steps=3))
    assert run.result["collapsed"]
    assert run.result["deo_m"] == 0
    assert run.read_log()[-1]["evaluation"]["collapsed"]
    said = capsys.readouterr().err
    assert "at step 3 the student predicts a single class for every image" in said
    assert "the student predicts a single class for every test image" in said


def of_class_a(wanted, root, options):
    splits = TINY.load(wanted, root, options)
    if "test" in splits:
        splits["test"] = splits["test"].subset((splits["test"].labels == 0).nonzero().flatten())
    return splits


def test_who_is_right_about_images_of_a_single_class_has_not_learned_nothing(quick, monkeypatch, capsys):
    monkeypatch.setitem(data.DATASETS, "tiny", dataclasses.replace(TINY, load=of_class_a))
    monkeypatch.setattr(evaluation, "logits_of", lambda _network, pipeline, *_given, **_named: one_hot(pipeline))
    run = train(quick(steps=1))
    assert (run.result["accuracy"], run.result["collapsed"]) == (1.0, True)
    assert "single class" not in capsys.readouterr().err


def one_hot(pipeline):
    return torch.nn.functional.one_hot(pipeline.labels, 3).float()


def test_the_recorded_predictions_and_counts_agree_where_two_probabilities_are_nearly_equal(quick, monkeypatch):
    def nearly_tied(network, pipeline, autocast, *, world):
        return torch.tensor([0.0, 1e-9, -1.0]).repeat(pipeline.num_rows, 1)

    monkeypatch.setattr(evaluation, "logits_of", nearly_tied)
    run = train(quick(steps=1), quiet=True)
    assert_agrees_with_its_predictions(run)


@pytest.mark.parametrize("method", ["mfd", "ad", "hkd", "mfd-self", "gapreg"])
def test_rows_of_unknown_group_train_and_are_counted_and_judged_without_a_group(quick, tiny_teacher, method, capsys):
    run = train(quick(method=method, teacher=tiny_teacher, data_options={"unknown": 6}))
    result = run.result
    assert result["unknown_groups"] == {"train": 3, "validation": 3, "test": 6}
    assert result["test_rows"] == 30
    assert np.sum(result["counts"]) == 24
    assert_agrees_with_its_predictions(run)
    assert (table(run)["group"] == -1).sum() == 6
    assert (
        "3 training images have no group label; they are used only by losses that do not need one"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize("method", ["ss", "dro", "di", "reweight"])
def test_a_row_of_unknown_group_changes_the_student(quick, monkeypatch, tmp_path, method):
    original, weights = Pipeline.train_batch, []
    for name, change in (("as they are", 0), ("changed", 1)):

        def train_batch(self, index, *, change=change, **given):
            batch = original(self, index, **given)
            unknown = (batch.groups == -1).view(-1, 1, 1, 1)
            return dataclasses.replace(batch, images=batch.images + change * unknown)

        monkeypatch.setattr(Pipeline, "train_batch", train_batch)
        options = quick(method=method, data_options={"unknown": 6}, steps=3, out=str(tmp_path / name))
        weights.append(read_weights(train(options, quiet=True).path / "model.safetensors")[0]["output.weight"])
    assert not torch.equal(*weights)


@pytest.mark.parametrize("method", ["ss", "dro", "di", "reweight", "mfd-self", "gapreg"])
def test_an_empty_cell_of_the_training_set_is_a_warning_and_deo_is_null_where_undefined(quick, method):
    with pytest.warns(UserWarning, match=r"empty .*\(c, y\)"):
        run = train(quick(method=method, data_options={"missing_cell": True}), quiet=True)
    assert (run.result["deo_a"], run.result["deo_m"], run.result["empty_cells"]) == (None, None, [[1, 2]])
    assert run.read_log()[-1]["evaluation"]["deo_a"] is None


def test_a_teacher_sees_the_images_that_randaug_changed_and_nothing_is_cached(
    quick, tiny_teacher, tmp_path, monkeypatch, capsys
):
    looks, seen = LiveTeacher.__call__, []

    def watched(self, batch):
        seen.append(batch.draws.operations)
        return looks(self, batch)

    monkeypatch.setattr(LiveTeacher, "__call__", watched)
    cache = tmp_path / "cache"
    train(quick(method="hkd", teacher=tiny_teacher, augment="randaug", cache_dir=str(cache)))
    assert len(seen) == 12
    assert None not in seen
    assert not cache.exists()
    assert (
        "RandAugment changes images at random, so the teacher's outputs are computed in every step instead of cached"
        in capsys.readouterr().err
    )


def test_progress_of_the_run_is_said_on_standard_error(quick, tiny_teacher, capsys):
    run = train(quick(method="mfd", teacher=tiny_teacher))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "12 steps of 18 images, honest protocol, cpu" in shown.err
    assert "66 train, 6 validation, 30 test" in shown.err
    assert "teacher outputs: computing 132 once" in shown.err
    assert f"finished: {run.path}" in shown.err
    train(quick(method="mfd", teacher=tiny_teacher, out=f"{run.path}-2"), quiet=True)
    assert capsys.readouterr() == ("", "")
