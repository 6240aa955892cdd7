"""The deployed network with another last layer: candidates that take seconds, from one pass over the images."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from fairdistill.errors import LastLayerError
from fairdistill.fixing.last_layer.readable import auc_in_words, group_auc
from fairdistill.fixing.last_layer.site import Site, head_data, site_of, with_logits
from fairdistill.fixing.search.candidates import SHARES, Candidate
from fairdistill.fixing.search.search import Search
from fairdistill.fixing.work import folder
from fairdistill.fixing.work.work import Work
from fairdistill.heads import (
    HEAD_METHODS,
    FittedOn,
    HeadData,
    HeadFit,
    HeadSkipped,
    ScoredFit,
    better_source,
    fit_heads,
    logits_toward,
)
from fairdistill.text.durations import format_seconds
from fairdistill.text.lists import listed
from fairdistill.text.progress import working

_BLIND, _AFR = "blind head", "afr head"
_METHODS = tuple(HEAD_METHODS)
FOLDS = 5
_NAMED = 5
_IMAGES_OF = {"validation": "validation", "train": "training"}
# Shares of the time left: for the pass over the training images, and for all fits to validation and training images.
_PASS, _FITS, _FITS_ALONE = 0.15, (0.2, 0.2), (0.5, 0.8)  # alone: without students


def try_heads(search: Search) -> bool:
    """Fit other last layers on validation images, then on training images, and draw the lines to each of them.

    The first recommendation is announced after those fitted on validation images, which take one pass over them. In the
    end only those of one source can be chosen: see :func:`fairdistill.heads.better_source`.

    Returns:
        Whether there was time for all of them.
    """
    site = _site(search)
    if site is None:
        return True
    scored: list[ScoredFit] = []
    all_fitted = _fit(search, site, None, scored)
    search.announce()
    all_fitted &= _fit_on_train(search, site, scored)
    _keep_one_source(search, scored)
    search.announce()
    if any(each.name == _BLIND for each in search.of("head")):
        search.remark(_BLIND, auc_in_words(group_auc(site.validation.features, search.deployed.validation)))
    search.remark(_AFR, "its fit needs no group labels, but without any nobody can check whether it is fairer")
    return all_fitted


def _keep_one_source(search: Search, scored: Sequence[ScoredFit]) -> None:
    better = better_source(scored)
    if better is None:
        return
    other: FittedOn = "train" if better == "validation" else "validation"
    search.leave_out(other)
    search.notes.append(
        f"Last layers fitted on {_IMAGES_OF[other]} images were not chosen from: on average, those fitted on "
        f"{_IMAGES_OF[better]} images are at least as accurate on the validation set"
    )


def _fit_on_train(search: Search, site: Site, scored: list[ScoredFit]) -> bool:
    work = search.work
    seconds = search.image_seconds * len(work.samples.train)
    if seconds > _PASS * work.clock.left:
        search.notes.append(
            f"No last layer was fitted on training images, since the pass over {len(work.samples.train):,} of them "
            f"would take about {format_seconds(seconds)}, too much of the time left"
        )
        return False
    return _fit(search, site, head_data(work, work.deployed.model, site.layer, work.samples.train), scored)


def _site(search: Search) -> Site | None:
    work = search.work
    try:
        site = site_of(work, work.deployed.model, name=work.options.head)
    except LastLayerError as error:
        if work.options.head is not None:
            folder.withdraw(work.out)
            raise
        search.notes.append(f"The last layer of your model could not be changed on its own: {error}")
        return None
    search.layer = site.layer
    return site


@working("fitting last layers")
def _fit(search: Search, site: Site, train: HeadData | None, scored: list[ScoredFit]) -> bool:
    """Fit heads to training images, or to folds of the validation set, until they are done or take too long.

    The lines to the best of each method follow. The heads are added to ``scored``. Returns whether all were fitted.
    """
    best: dict[str, Candidate] = {}
    shares = _FITS if search.work.options.students else _FITS_ALONE
    started, limit = time.monotonic(), shares[train is not None] * search.work.clock.left
    fitted_before, all_fitted = search.heads, True
    fits = fit_heads(
        site.validation, site.head, train=train, methods=_METHODS, folds=FOLDS if train is None else 0,
        seed=search.work.options.seed,
        skipped=lambda each: search.notes.append(_skipped(each, search.work)),
    )  # fmt: skip
    for fit in fits:
        search.heads += 1
        each = _candidate(search.deployed, fit)
        scored.append(ScoredFit(fit, each.measures["balanced_accuracy"]))
        search.add(each)
        search.announce()  # the first answer need not wait for every method
        former = best.get(each.name)
        if former is None or search.better(each, former):
            best[each.name] = each
        if time.monotonic() - started > limit:
            all_fitted = False
            search.notes.append(
                _cut(search.heads - fitted_before, _IMAGES_OF["validation" if train is None else "train"])
            )
            break
    for each in best.values():
        for share in SHARES:
            search.add(_on_line(search.deployed, site, each, share))
    return all_fitted


def _cut(fitted: int, images: str) -> str:
    layers = "1 last layer was" if fitted == 1 else f"{fitted} last layers were"
    return f"Only {layers} fitted to {images} images, since more would have taken too much of the budget"


def _skipped(skipped: HeadSkipped, work: Work) -> str:
    names, groups = work.samples.train.class_names, work.samples.train.group_names
    cells = [f"({names[label]}, {groups[group]})" for label, group in skipped.empty]
    lacking = f"; there are no samples of {listed(cells, _NAMED)}" if cells else ""
    return f"The {skipped.method} head was not fitted on {skipped.fitted_on} images: {skipped.reason}{lacking}"


def _candidate(deployed: Candidate, fit: HeadFit) -> Candidate:
    return Candidate(
        name=f"{fit.method} head",
        family="head",
        description=f"your model with another last layer: {HEAD_METHODS[fit.method].description}",
        validation=with_logits(deployed.validation, fit.validation_logits),
        head=fit,
        settings={**fit.settings, "fitted_on": fit.fitted_on},
        seconds=fit.seconds,
    )


def _on_line(deployed: Candidate, site: Site, end: Candidate, share: float) -> Candidate:
    """Return the head at a share of the way from the deployed one to another; its logits lie at the same share."""
    fit = end.head
    assert fit is not None
    logits = logits_toward(site.logits, fit.validation_logits, share)
    return Candidate(
        name=f"part of the way to {end.name}",
        family="line",
        description=f"your model with a last layer {share:.0%} of the way from its own to the {end.name}",
        validation=with_logits(deployed.validation, logits),
        head=replace(fit, head=site.head.toward(fit.head, share), validation_logits=logits),
        settings={**(end.settings or {}), "share": share},
        seconds=fit.seconds,
    )
