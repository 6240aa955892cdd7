from __future__ import annotations

from dataclasses import asdict, fields, replace

import pytest
import torch
from torch import nn

from fairdistill.data.recipe import Augmenting
from fairdistill.errors import UsageError
from fairdistill.losses.cross_entropy import CrossEntropy
from fairdistill.models import read_weights
from fairdistill.runs import RunFolder
from fairdistill.training import TrainOptions, prepare, resolve, train
from fairdistill.training.identity import identity_of
from fairdistill.training.settings.recipe import FAST, RECIPES, Learning


def test_without_a_recipe_everything_is_as_it_was():
    assert TrainOptions().learning == RECIPES["default"] == Learning()
    assert Learning() == Learning(
        batch_size=128, optimizer="adam", lr=1e-3, weight_decay=0.0, schedule="plateau", lr_warmup=0.0, ema=0.0,
        label_smoothing=0.0, alternating_flip=False, crop_padding=0, cutout=0, whitening="off",
        scratch_weights="default",
    )  # fmt: skip
    assert TrainOptions().augmenting == Augmenting()


def test_every_setting_of_a_recipe_is_an_option_that_is_not_given_by_default():
    defaults = {option.name: option.default for option in fields(TrainOptions)}
    assert {name: defaults[name] for name in asdict(Learning())} == dict.fromkeys(asdict(Learning()))


@pytest.mark.parametrize("name", list(asdict(Learning())))
def test_an_option_that_is_given_takes_precedence_over_the_recipe(name):
    default = getattr(Learning(), name)
    learning = TrainOptions(recipe="fast", **{name: default}).learning
    assert getattr(learning, name) == default
    assert replace(learning, **{name: getattr(FAST, name)}) == FAST or name in ("schedule", "lr_warmup")


def test_the_run_folder_holds_the_values_of_the_recipe():
    resolved = resolve(TrainOptions(recipe="fast", lr=0.5))
    assert resolved.learning == replace(FAST, lr=0.5)
    assert {name: getattr(resolved, name) for name in asdict(FAST)} == {**asdict(FAST), "lr": 0.5}
    assert TrainOptions(**asdict(resolved)) == resolved


def test_a_recipe_is_refused_in_the_paper_protocol():
    with pytest.raises(UsageError, match=r"--recipe fast .* --protocol paper refuses it; drop one of the two"):
        TrainOptions(recipe="fast", protocol="paper")
    assert TrainOptions(recipe="default", protocol="paper").learning == Learning()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"init": "teacher", "whitening": "frozen"}, "--whitening frozen is for --init scratch, not teacher"),
        ({"init": "pretrained", "scratch_weights": "he"}, "--scratch-weights he is for --init scratch, not pretrained"),
        ({"lr_warmup": 0.1}, "--lr-warmup 0.1 does not fit --schedule plateau"),
        ({"lr_warmup": 0.1, "schedule": "onecycle"}, "does not fit --schedule onecycle"),
        ({"lr_warmup": 1.0}, r"expected lr_warmup to be a fraction in \[0, 1\), but got 1.0"),
        ({"label_smoothing": -0.1}, r"expected label_smoothing to be a fraction in \[0, 1\), but got -0.1"),
        ({"dropout": 1.0}, r"expected dropout to be a fraction in \[0, 1\), but got 1.0"),
        ({"crop_padding": -1}, "expected crop_padding to be at least 0, but got -1"),
        ({"cutout": -1}, "expected cutout to be at least 0, but got -1"),
        ({"whitening": "on"}, "expected whitening to be one of off, frozen, trained, but got 'on'"),
        ({"optimizer": "lion"}, "expected optimizer to be one of adam, adamw, sgd, nesterov, muon, but got 'lion'"),
    ],
)
def test_options_that_do_not_fit_are_refused(given, message):
    with pytest.raises(UsageError, match=message):
        TrainOptions(**given)


def test_a_recipe_leaves_other_initial_weights_alone():
    learning = TrainOptions(recipe="fast", init="teacher").learning
    assert (learning.whitening, learning.scratch_weights) == ("off", "default")
    assert replace(learning, whitening=FAST.whitening, scratch_weights=FAST.scratch_weights) == FAST


def test_options_that_change_nothing_leave_the_identity_of_a_run_as_it_was():
    new = {
        "recipe", "lr_warmup", "label_smoothing", "alternating_flip", "crop_padding", "cutout", "whitening",
        "scratch_weights", "dropout",
    }  # fmt: skip
    assert not new & set(identity_of(resolve(TrainOptions())))
    assert new - {"lr_warmup", "cutout", "dropout"} <= set(identity_of(resolve(TrainOptions(recipe="fast"))))


def test_a_run_older_than_these_options_is_resumed_with_their_defaults(quick):
    run = train(quick(), quiet=True)
    config = {name: value for name, value in RunFolder.open(run.path).config.items() if name != "format_version"}
    for name in ("recipe", "lr_warmup", "label_smoothing", "crop_padding", "whitening", "scratch_weights", "dropout"):
        del config[name]
    assert TrainOptions.from_mapping(config).learning == quick().learning


def test_initial_weights_follow_from_the_options_and_the_seed(quick):
    def weights(**options):
        return prepare(quick(**options)).student.network.state_dict()

    plain = weights()
    for options in ({"scratch_weights": "dirac"}, {"whitening": "trained"}, {"whitening": "frozen"}):
        first, again = weights(**options), weights(**options)
        assert all(torch.equal(first[name], again[name]) for name in first)
        assert not torch.equal(first["stages.0.weight"], plain["stages.0.weight"])
    frozen = weights(whitening="frozen", scratch_weights="dirac")
    assert torch.equal(frozen["stages.0.weight"], weights(whitening="frozen", seed=5)["stages.0.weight"])


def test_a_frozen_layer_keeps_its_weights_and_the_others_learn(quick):
    options = quick(whitening="frozen", recipe="fast", weight_decay=0.5)
    start = prepare(options).student.network.state_dict()
    kept = read_weights(train(options, quiet=True).path / "model.safetensors")[0]
    assert torch.equal(kept["stages.0.weight"], start["stages.0.weight"])
    assert not torch.equal(kept["stages.0.bias"], start["stages.0.bias"])
    assert not torch.equal(kept["stages.2.weight"], start["stages.2.weight"])


def test_whitening_needs_a_convolution_of_the_images(quick, monkeypatch):
    def factory(num_classes, image_size):
        return nn.Sequential(nn.Flatten(), nn.Linear(3 * image_size**2, num_classes))

    monkeypatch.setattr("fairdistill.models.build", lambda name, outputs, image_size, **_: factory(outputs, image_size))
    with pytest.raises(UsageError, match=r"--whitening trained needs a convolution .* use --whitening off"):
        prepare(quick(whitening="trained"))


def test_dropout_has_the_rate_that_is_given(quick):
    rates = [
        {module.p for module in prepare(quick(**given)).student.network.modules() if isinstance(module, nn.Dropout)}
        for given in ({}, {"dropout": 0.05})
    ]
    assert rates == [{0.25}, {0.05}]


@pytest.mark.parametrize("method", ["scratch", "reweight", "dro", "di"])
def test_label_smoothing_is_part_of_every_class_loss(quick, method):
    first, smoothed = (
        train(quick(method=method, label_smoothing=share, out=f"{quick().out}-{method}-{share}"), quiet=True)
        for share in (0.0, 0.5)
    )
    assert first.read_log()[0]["loss"] != smoothed.read_log()[0]["loss"]
    assert smoothed.config["set"] == first.config["set"]


def test_cross_entropy_with_label_smoothing_is_torchs():
    from fairdistill.losses import TermContext
    from fairdistill.types import StepView

    logits, labels = torch.randn(5, 3), torch.tensor([0, 1, 2, 0, 1])
    context = TermContext(3, 2, {}, {}, torch.ones(3, 2), label_smoothing=0.2)
    view = StepView({"logits": logits}, {}, labels, torch.zeros(5, dtype=torch.int64), 3, 2, 0.0)
    likely = logits.log_softmax(1)
    expected = -(0.8 * likely[torch.arange(5), labels] + 0.2 * likely.mean(1)).mean()
    assert torch.allclose(CrossEntropy().build(context)(view), expected)


def test_a_teacher_runs_live_where_images_change_and_is_cached_where_they_are_only_flipped(
    quick, tiny_teacher, tmp_path, capsys
):
    cache = tmp_path / "cache"
    for number, (given, why) in enumerate(
        [({"crop_padding": 1}, "training crops are random"), ({"cutout": 4}, "cutouts are random")]
    ):
        train(quick(method="hkd", teacher=tiny_teacher, cache_dir=str(cache), out=str(tmp_path / str(number)), **given))
        assert f"{why}, so the teacher's outputs are computed in every step" in capsys.readouterr().err
        assert not cache.exists()
    out = str(tmp_path / "flips")
    train(quick(method="hkd", teacher=tiny_teacher, cache_dir=str(cache), alternating_flip=True, out=out), quiet=True)
    assert cache.exists()


def test_the_recipe_is_in_the_result(quick):
    assert train(quick(recipe="fast"), quiet=True).result["recipe"] == "fast"
