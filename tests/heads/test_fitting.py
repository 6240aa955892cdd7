from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from fairdistill.errors import UsageError
from fairdistill.heads import HEAD_METHODS, Head, HeadData, HeadSkipped, feature_mfd, fit_heads
from fairdistill.metrics.folds import even_folds
from tests.heads.samples import deployed, people


@pytest.fixture(autouse=True)
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_mfd, "_STEPS", 3)


QUICK = ["balanced", "blind", "domain-independent", "afr"]


def test_every_method_on_both_sets_with_logits_of_every_validation_sample() -> None:
    validation, train = people(100), people(120, seed=1)
    head = deployed(validation)
    skipped: list[HeadSkipped] = []
    fits = list(fit_heads(validation, head, train=train, folds=2, skipped=skipped.append))
    assert not skipped
    expected = [
        (name, dict(settings), on)
        for name, method in HEAD_METHODS.items()
        for on in ("validation", "train")
        for settings in method.settings
    ]
    assert [(fit.method, dict(fit.settings), fit.fitted_on) for fit in fits] == expected
    for fit in fits:
        assert fit.head.weight.dtype == torch.float32
        assert fit.validation_logits.shape == (100, 3)
        assert fit.validation_logits.isfinite().all()
        assert fit.seconds > 0
        if fit.fitted_on == "train":
            torch.testing.assert_close(fit.validation_logits, fit.head.logits(validation.features))


def test_a_sample_does_not_teach_its_own_head() -> None:
    # every sample has a feature of its own, which a head fitted to it would use
    torch.manual_seed(0)
    labels, groups = torch.arange(60) % 2, torch.arange(60) // 2 % 2
    data = HeadData(torch.eye(60), labels, groups, torch.arange(60), 2, 2)
    head = Head(torch.zeros(2, 60), torch.zeros(2))
    fit, _ = fit_heads(data, head, train=None, methods=["balanced"])
    assert (fit.head.logits(data.features).argmax(1) == labels).all()
    # without its own sample, the head knows nothing about a feature: all it has is the bias
    own = fit.validation_logits
    assert (own - own.mean(0)).abs().max() < 0.1 * (fit.head.logits(data.features) - own).abs().max()


def test_without_a_bias_each_fold_drops_its_own() -> None:
    data, train = people(120), people(120, seed=1)
    head = Head(deployed(data).weight, torch.zeros(3))
    usual = list(fit_heads(data, head, train=train, methods=["balanced"], folds=3))
    found = list(fit_heads(data, replace(head, has_bias=False), train=train, methods=["balanced"], folds=3))
    fold = torch.from_numpy(even_folds(*(x.numpy() for x in (data.labels, data.groups, data.sources)), folds=3))
    for with_bias, fit in zip(usual, found, strict=True):
        assert not fit.head.bias.any()
        assert torch.equal(fit.head.weight, with_bias.head.weight)
        dropped = with_bias.validation_logits - fit.validation_logits
        if fit.fitted_on == "train":
            torch.testing.assert_close(dropped, with_bias.head.bias.expand_as(dropped), atol=1e-5, rtol=0)
            continue
        own = torch.stack([dropped[fold == k].mean(0) for k in range(3)])
        torch.testing.assert_close(dropped, own[fold], atol=1e-5, rtol=0)
        assert (own - with_bias.head.bias).abs().max() > 1e-3, "those of the folds differ from the last one"


def test_samples_of_one_source_share_a_fold() -> None:
    # all samples of a source are equal, but sources have random classes: a head that has seen one knows it
    draw = torch.Generator().manual_seed(0)
    sources = torch.arange(120) // 4
    labels = torch.randint(2, (30,), generator=draw)[sources]
    features = torch.randn(30, 60, generator=draw)[sources]
    data = HeadData(features, labels, torch.arange(120) % 2, sources, 2, 2)
    head = Head(torch.zeros(2, 60), torch.zeros(2))
    honest, _ = fit_heads(data, head, train=None, methods=["balanced"])
    leaky, _ = fit_heads(replace(data, sources=torch.arange(120)), head, train=None, methods=["balanced"])
    right = [(fit.validation_logits.argmax(1) == labels).double().mean().item() for fit in (honest, leaky)]
    assert right[0] < 0.75
    assert right[1] > 0.95


def test_the_same_call_gives_the_same_heads_and_permuted_rows_nearly_the_same() -> None:
    data = people(90)
    head = deployed(data)
    order = torch.randperm(90, generator=torch.Generator().manual_seed(3))
    first, again, permuted = (
        list(fit_heads(of, head, train=None, methods=QUICK, folds=3)) for of in (data, data, data.take(order))
    )
    for one, two, other in zip(first, again, permuted, strict=True):
        assert torch.equal(one.head.weight, two.head.weight)
        assert torch.equal(one.validation_logits, two.validation_logits)
        torch.testing.assert_close(other.validation_logits, one.validation_logits[order], atol=0.1, rtol=0)


def test_it_can_be_stopped_between_two_fits() -> None:
    data = people(60)
    fits = fit_heads(data, deployed(data), train=None, methods=["domain-independent", "fair"], folds=2)
    assert next(fits).method == "domain-independent"
    assert next(fits).method == "fair"


def test_without_folds_only_the_training_samples_are_used() -> None:
    data, train = people(40), people(50, seed=1)
    fit, _ = fit_heads(data, deployed(data), train=train, methods=["balanced"], folds=0)
    assert fit.fitted_on == "train"
    assert list(fit_heads(data, deployed(data), train=None, methods=["balanced"], folds=0)) == []


def test_unknown_groups_get_logits() -> None:
    data = people(90)
    groups = data.groups.clone()
    groups[::4] = -1
    for fit in fit_heads(replace(data, groups=groups), deployed(data), train=None, methods=QUICK, folds=3):
        assert fit.validation_logits.isfinite().all()


def reasons(data: HeadData, **keywords: object) -> dict[str, str]:
    found: list[HeadSkipped] = []
    fits = list(fit_heads(data, deployed(data), train=None, folds=2, skipped=found.append, **keywords))  # type: ignore[arg-type]
    names = {fit.method for fit in fits}
    assert names.isdisjoint(skip.method for skip in found)
    assert names | {skip.method for skip in found} == set(HEAD_METHODS)
    return {skip.method: skip.reason for skip in found}


def test_an_empty_subgroup_skips_the_method_that_needs_it() -> None:
    data = people(100)
    kept = ~((data.labels == 2) & (data.groups == 1))
    found: list[HeadSkipped] = []
    some = data.take(kept.nonzero().flatten())
    fits = fit_heads(some, deployed(data), train=None, methods=["domain-independent"], skipped=found.append)
    assert list(fits) == []
    assert found[0].empty == ((2, 1),)
    assert reasons(some) == {"domain-independent": "it needs samples of every class in every group"}


def test_a_subgroup_in_a_single_fold() -> None:
    data = people(100)
    rare = (data.labels == 2) & (data.groups == 1)
    kept = ~rare
    kept[rare.nonzero()[0]] = True
    assert reasons(data.take(kept.nonzero().flatten())) == {}


def test_no_known_group_leaves_the_method_without_groups() -> None:
    data = people(80)
    found = reasons(replace(data, groups=torch.full((80,), -1)))
    assert set(found) == set(HEAD_METHODS) - {"afr"}


def test_one_group_one_class_and_one_source() -> None:
    data = people(80)
    assert reasons(replace(data, groups=torch.zeros(80).long()))["fair"] == "it needs at least two groups"
    assert set(reasons(replace(data, labels=torch.zeros(80).long()))) == set(HEAD_METHODS)
    one = reasons(replace(data, sources=torch.zeros(80).long()))
    assert set(one.values()) == {"cross-fitting needs samples of at least two sources"}


def test_too_many_features_for_a_map() -> None:
    data = people(60)
    wide = replace(data, features=data.features.repeat(1, 350))
    (skip,) = _skips(wide, ["feature-mfd"])
    assert "at most 2,048 features, and the last layer has 2,100" in skip.reason


def _skips(data: HeadData, methods: list[str]) -> list[HeadSkipped]:
    found: list[HeadSkipped] = []
    assert not list(fit_heads(data, deployed(data), train=None, methods=methods, skipped=found.append))
    return found


def test_bad_arguments_fail_at_the_call() -> None:
    data = people(30)
    with pytest.raises(UsageError, match="unknown head method 'fairest'; choose from balanced, fair"):
        fit_heads(data, deployed(data), train=None, methods=["fairest"])
    with pytest.raises(UsageError, match="`folds` to be at least 2, or 0, but got 1"):
        fit_heads(data, deployed(data), train=None, folds=1)
    with pytest.raises(UsageError, match=r"a head of 3 classes and 6 features, but got \(3, 5\)"):
        fit_heads(data, Head(torch.zeros(3, 5), torch.zeros(3)), train=None)
