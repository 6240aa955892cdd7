from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from fairdistill import data
from fairdistill.errors import DataError, UsageError
from fairdistill.models import read_weights
from fairdistill.training import TrainOptions, identity_of, load_data, prepare, resolve, resume, train
from fairdistill.training.progress.state import load_checkpoint
from fairdistill.training.settings.keeping import check_keep, rule_of, standing
from tests.stops import Killed, in_step, kill
from tests.training.test_resume import assert_same_model, stopped

RULE = "deo_a subject to balanced_accuracy >= 0.6"


@pytest.fixture
def tiny_test(tiny):
    return data.load("tiny", "test")


def evaluated(*shares, collapsed=False, loss=1.0):
    """An evaluation with an accuracy for each subgroup (a, x), (a, y), (b, x), ... of the tiny data; None if empty."""
    counts = np.zeros((2, 3, 3), dtype=np.int64)
    for cell, share in enumerate(shares):
        if share is not None:
            label, group = divmod(cell, 2)
            counts[group, label, label] = round(100 * share)
            counts[group, label, (label + 1) % 3] = 100 - round(100 * share)
    accuracy = float(np.einsum("gcc->", counts) / counts.sum())
    return SimpleNamespace(counts=counts, accuracy=accuracy, collapsed=collapsed), loss


FAIR = evaluated(0.7, 0.7, 0.6, 0.6, 0.8, 0.8)
FAIR_BUT_WRONG = evaluated(0.5, 0.5, 0.5, 0.5, 0.5, 0.5)
FAIR_AND_HALF_WRONG = evaluated(0.58, 0.5, 0.5, 0.58, 0.58, 0.58)
UNFAIR = evaluated(0.9, 0.6, 0.9, 0.7, 0.9, 0.6)
UNDEFINED = evaluated(None, 0.9, 0.9, 0.9, 0.9, 0.9)
COLLAPSED = evaluated(1.0, 1.0, 0.0, 0.0, 0.0, 0.0, collapsed=True)


@pytest.mark.parametrize(
    ("rule", "order"),
    [
        (RULE, [FAIR, UNFAIR, FAIR_AND_HALF_WRONG, FAIR_BUT_WRONG, UNDEFINED, COLLAPSED]),
        ("deo_a", [FAIR_BUT_WRONG, FAIR_AND_HALF_WRONG, UNFAIR, UNDEFINED, COLLAPSED]),
        ("recall[b]", [UNFAIR, FAIR, FAIR_AND_HALF_WRONG, FAIR_BUT_WRONG, COLLAPSED]),
        ("loss", [evaluated(0.1, loss=0.5), evaluated(0.9, loss=0.6)]),
    ],
)
def test_evaluations_stand_in_the_order_of_the_rule(tiny_test, rule, order):
    stand = [standing(rule, found, tiny_test, loss=loss) for found, loss in order]
    assert stand == sorted(set(stand))


def test_of_equal_ones_the_lower_loss_counts_and_then_the_earlier(tiny_test):
    found, _ = FAIR
    stands = [standing(RULE, found, tiny_test, loss=loss) for loss in (0.4, 0.5, 0.5)]
    assert stands[0] < stands[1] == stands[2]


@pytest.mark.parametrize(
    ("keep", "said"),
    [
        ("lst", r"--keep must be loss, last or a rule, for example .*'lst' is not a metric"),
        ("deo_a subject to accuracy >= 65", r"must be loss, last or a rule.* write 65% as 0.65"),
        ("deo_a subject to accuracy >= teacher - 0.01", r"no other; write a number, for example"),
        ("deo_a subject to balanced_accuracy >= deployed", r"no other; write a number, for example"),
    ],
)
def test_a_rule_that_cannot_be_used_is_named_with_the_way_out(keep, said):
    with pytest.raises(UsageError, match=said) as caught:
        TrainOptions(keep=keep)
    assert "\n" not in str(caught.value)
    assert "--rule" not in str(caught.value)


def test_the_paper_protocol_decides_alone():
    with pytest.raises(UsageError, match=r"--keep 'loss' would choose weights on the test set.*drop one of the two"):
        TrainOptions(protocol="paper", keep="loss")
    assert TrainOptions(protocol="paper", keep="last").keep == "last"


def test_the_default_is_recorded_and_leaves_the_identity_of_a_run_as_it_was(quick):
    for protocol, keep in (("honest", "loss"), ("paper", "last")):
        resolved = resolve(quick(protocol=protocol))
        assert resolved.keep == keep
        assert not {"keep", "ema"} & set(identity_of(resolved))
    changed = identity_of(resolve(quick(keep=RULE, ema=0.9)))
    assert (changed["keep"], changed["ema"]) == (RULE, 0.9)


def test_a_metric_that_the_validation_set_cannot_show_is_named(tiny_test):
    lacking = replace(tiny_test, groups=torch.where(tiny_test.labels == 1, 0, tiny_test.groups))
    with pytest.raises(DataError, match=r"needs deo_a, but tiny/test has no image of \(b, y\); add validation images"):
        check_keep("deo_a subject to accuracy >= 0.5", lacking)
    check_keep("deo[a] subject to accuracy >= 0.5", lacking)
    with pytest.raises(UsageError, match="no class 'd'"):
        check_keep("recall[d]", tiny_test)
    with pytest.raises(UsageError, match="cannot use calibration_error"):
        check_keep("calibration_error", tiny_test)


def test_it_is_found_before_anything_is_written(quick, tmp_path):
    with pytest.raises(UsageError, match="no class 'd'"):
        train(quick(keep="recall[d]"), quiet=True)
    assert not (tmp_path / "run").exists()


def test_the_evaluation_that_the_rule_chooses_is_kept_and_a_killed_run_agrees(quick, tmp_path, judged_as):
    ranked = [found for found, _ in (UNFAIR, FAIR, FAIR_BUT_WRONG, COLLAPSED)]
    judged = {name: [getattr(found, name) for found in ranked] for name in ("counts", "accuracy", "collapsed")}
    judged["cell_loss"] = [4.0, 3.0, 2.0, 1.0]

    def options(name, **changes):
        return quick(out=str(tmp_path / name), schedule="constant", **changes)

    with judged_as(**judged):
        whole = train(options("whole", keep=RULE), quiet=True)
    with judged_as(**judged):
        by_loss = train(options("loss"), quiet=True)
    with judged_as(**judged):
        with stopped(in_step(8, kill), Killed):  # after two evaluations
            train(options("cut", keep=RULE), quiet=True)
        assert load_checkpoint(tmp_path / "cut" / "checkpoint" / "state.pt")["best_standing"][:2] == (0.0, 0.0)
        again = resume(tmp_path / "cut", quiet=True)
    assert (whole.result["checkpoint_step"], by_loss.result["checkpoint_step"]) == (6, 12)
    assert_same_model(again, whole)
    assert again.result["checkpoint_step"] == 6


def test_the_last_weights_are_kept_if_that_is_asked(quick, judged_as):
    with judged_as(cell_loss=[1.0, 2.0, 3.0, 4.0]):
        run = train(quick(keep="last"), quiet=True)
    assert run.result["checkpoint_step"] == 12
    kept, _ = read_weights(run.path / "model.safetensors")
    last = load_checkpoint(run.checkpoint_path)["student"]
    assert all(torch.equal(kept[name], last[name]) for name in kept)


def test_a_checkpoint_of_an_earlier_version_is_read(quick):
    with stopped(in_step(8, kill), Killed):
        train(quick(), quiet=True)
    path = prepare(quick()).out / "checkpoint" / "state.pt"
    state = torch.load(path, weights_only=True)
    (state["best_loss"],) = state.pop("best_standing")
    del state["average"]
    torch.save(state, path)
    config = Path(quick().out) / "config.yaml"
    config.write_text(config.read_text().replace("format_version: 2", "format_version: 1"))
    assert resume(quick().out, quiet=True).result["checkpoint_step"] in (3, 6, 9, 12)
    assert rule_of("loss") is None


def test_images_that_are_loaded_already_are_not_loaded_again(quick, tmp_path, monkeypatch):
    def options(name):
        return quick(out=str(tmp_path / name))

    whole = train(options("whole"), quiet=True)
    splits = load_data(resolve(options("again")), None)
    monkeypatch.setattr(data, "load_splits", None)
    train(options("again"), quiet=True, until=4, splits=splits)
    assert_same_model(resume(tmp_path / "again", quiet=True, splits=splits), whole)
