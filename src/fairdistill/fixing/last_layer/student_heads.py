"""A trained student whose last layer is fitted again: what helps the deployed network helps a student too."""

from __future__ import annotations

import time
from dataclasses import replace

from fairdistill.errors import LastLayerError
from fairdistill.fixing.last_layer.file_check import check_loaded
from fairdistill.fixing.last_layer.heads import FOLDS
from fairdistill.fixing.last_layer.site import site_of, with_logits
from fairdistill.fixing.search.candidates import Candidate
from fairdistill.fixing.search.search import Search
from fairdistill.fixing.search.time_left import time_before_the_test
from fairdistill.heads import HEAD_METHODS, HeadFit, fit_heads
from fairdistill.predictions.trained.model import load_model
from fairdistill.predictions.trained.repaired import with_last_layer, write_with_last_layer

_METHODS = ("balanced", "fair")


def refit_last_layer(search: Search, student: Candidate) -> None:
    """Fit the last layer of a student again, on folds of the validation set; the best one by the rule is a candidate.

    Nothing happens if its network has no linear last layer, or time is up.

    Raises:
        UsageError: if the file that was written does not behave as the fitted head does.
    """
    work, began = search.work, time.monotonic()
    assert student.source is not None
    if time_before_the_test(search) < len(work.samples.validation) * search.image_seconds:
        return
    model = load_model(student.source, work.samples.validation, work.runtime)
    try:
        site = site_of(work, model)
    except LastLayerError:
        return
    found: list[tuple[Candidate, HeadFit]] = []
    for fit in fit_heads(
        site.validation, site.head, train=None, methods=_METHODS, folds=FOLDS, seed=work.options.seed,
    ):  # fmt: skip
        each = Candidate(
            name=f"{student.name} with a {fit.method} head", family="student",
            description=f"{student.description}; then its last layer was {HEAD_METHODS[fit.method].description}",
            validation=with_logits(student.validation, fit.validation_logits),
            settings={**(student.settings or {}), **fit.settings, "head": fit.method, "fitted_on": fit.fitted_on},
            seconds=student.seconds + time.monotonic() - began,
        )  # fmt: skip
        found.append((each, fit))
        if time_before_the_test(search) < 0:
            break
    if not found:
        return
    best, fit = min(found, key=lambda each: search.standing(each[0]))
    search.points += [each.point for each, _ in found if each is not best]
    target = work.out / "students" / best.slug / "model.safetensors"
    write_with_last_layer(student.source, site.layer, fit.head.weight, fit.head.bias, target)
    source = replace(student.source, path=str(target))
    expected = with_last_layer(model, site.layer, fit.head.weight, fit.head.bias)
    check_loaded(work, target, load_model(source, work.samples.validation, work.runtime), expected)
    search.add(replace(best, source=source))
    search.announce()
