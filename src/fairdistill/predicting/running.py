"""Running a model on a list of images."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from fairdistill.data.augmentation.pipeline import Normalise
from fairdistill.data.files import broken_images
from fairdistill.data.images.decoding import Decoding
from fairdistill.data.images.facts import FACTS, common_depth
from fairdistill.data.images.remarks import remarks
from fairdistill.data.images.streaming import stream
from fairdistill.errors import TeacherError
from fairdistill.models import class_logits, trust_code
from fairdistill.models.files.kinds import program_kind
from fairdistill.models.layout import to_device
from fairdistill.predicting.images import ImageList, find_images
from fairdistill.predicting.opening import Opened, opened_for
from fairdistill.predicting.options import PredictOptions
from fairdistill.predicting.result import PredictedClass, PredictResult, SkippedImage
from fairdistill.predictions.table.writing import attribute_columns, output_columns, write_table
from fairdistill.predictions.trained.attribute_model import shares_of
from fairdistill.predictions.trained.source import open_run, source_of
from fairdistill.runs import check_no_input
from fairdistill.system.caller import caller_untouched
from fairdistill.system.runtime import Runtime, choose_runtime, use_threads
from fairdistill.system.threads import processors
from fairdistill.text.progress import progress


def run_model(path: str, options: PredictOptions) -> PredictResult:
    """Run a model on images; see :func:`fairdistill.predict`."""
    if options.out is not None:
        check_no_input(options.out, "--out", (path, options.images))
    trust_code(options.model)
    source = source_of(path, options, classes=options.classes)
    open_run(source)  # a wrong path is an error before any image is read
    images = find_images(options)
    with caller_untouched():
        use_threads(options.threads)
        runtime = choose_runtime(options.device, options.precision)
        opened = opened_for(images, source, options, runtime)
        found, how = _run(opened, images, opened.how, options, runtime)
    kept = images.ids[found.rows]
    if options.out is not None:
        columns = {name: values[found.rows].tolist() for name, values in images.columns.items()}
        named = columns if "id" in columns else {"id": kept.tolist(), **columns}
        write_table(options.out, {**named, **_outputs(opened, found)})
    if opened.answers is not None:
        times = found.predicted.sum(axis=0).tolist()
    else:
        times = np.bincount(found.predicted, minlength=len(opened.class_names)).tolist()
    return PredictResult(
        where=path,
        images=str(options.images),
        rows=len(found.rows),
        attributes=opened.answers is not None,
        classes=tuple(
            PredictedClass(class_name=name, images=count) for name, count in zip(opened.class_names, times, strict=True)
        ),
        skipped=tuple(SkippedImage(image=str(images.ids[row]), reason=why) for row, why in found.broken),
        runtime="onnxruntime" if program_kind(Path(source.path)) == "onnx" else str(runtime),
        seconds=found.seconds,
        model=opened.model.reading,
        notes=(*opened.model.notes, *opened.notes, *images.notes, *remarks(images.names[found.rows], found.facts, how)),
        out=options.out,
        ids=kept,
        predicted=found.predicted,
        probabilities=found.probabilities,
    )


@dataclass(frozen=True)
class _Found:
    """What a model says of the images that can be decoded, ``[n]`` of them, and which cannot."""

    rows: NDArray[np.int64]
    probabilities: NDArray[Any]
    facts: NDArray[Any]
    broken: tuple[tuple[int, str], ...]
    seconds: float
    attributes: bool

    @property
    def predicted(self) -> NDArray[np.int64]:
        if self.attributes:
            return (self.probabilities >= 0.5).astype(np.int64)
        classes: NDArray[np.int64] = self.probabilities.argmax(axis=1)
        return classes


def _run(
    opened: Opened, images: ImageList, how: Decoding, options: PredictOptions, runtime: Runtime
) -> tuple[_Found, Decoding]:
    """Run the model; deep images that imply different ranges are read again, all with the widest."""
    found = _run_as(opened, images, how, options, runtime)
    depth = common_depth(found.facts, how.depth)
    if depth == how.depth:
        return found, how
    how = replace(how, depth=depth)
    return _run_as(opened, images, how, options, runtime), how


def _run_as(opened: Opened, images: ImageList, how: Decoding, options: PredictOptions, runtime: Runtime) -> _Found:
    model = opened.model
    network = model.network.eval()
    to_device(network, runtime.device)
    normalise = Normalise(model.recipe, runtime.device)
    chunks = stream(
        images.source, images.names.tolist(), model.recipe.view, how, workers=options.workers or processors()
    )
    rows, probabilities, facts = [], [], [np.zeros(0, FACTS)]
    broken: list[tuple[int, str]] = []
    start = time.perf_counter()
    with torch.no_grad(), progress("predicting", len(images)) as report:
        for chunk in chunks:
            broken += chunk.broken
            if broken and not options.skip_broken:
                raise _broken(images, broken, options)
            if len(chunk.rows):
                prepared = normalise(chunk.pixels.to(runtime.device, non_blocking=True))
                with runtime.autocast():
                    logits = class_logits(network(prepared)).float()
                _check_finite(logits, images.names[chunk.rows])
                if opened.answers is not None:
                    probabilities.append(shares_of(logits, model))
                else:
                    probabilities.append(F.softmax(logits.double(), dim=1).cpu().numpy())
                rows.append(chunk.rows)
                facts.append(chunk.facts)
            report(len(chunk))
    if not rows:
        raise _broken(images, broken, options)
    seconds = time.perf_counter() - start
    return _Found(
        np.concatenate(rows), np.concatenate(probabilities), np.concatenate(facts), tuple(broken), seconds,
        opened.answers is not None,
    )  # fmt: skip


def _outputs(opened: Opened, found: _Found) -> dict[str, Iterable[Any]]:
    """Return the columns of what the model says."""
    if opened.answers is None:
        return output_columns(opened.class_names, found.predicted, found.probabilities)
    columns: dict[str, Iterable[Any]] = {}
    for at, (name, pair) in enumerate(zip(opened.class_names, opened.answers, strict=True)):
        columns |= attribute_columns(name, pair, found.predicted[:, at], found.probabilities[:, at])
    return columns


def _broken(images: ImageList, broken: list[tuple[int, str]], options: PredictOptions) -> Exception:
    first = [(str(images.names[row]), why) for row, why in broken]
    name = str(options.images)
    return broken_images(first, len(broken), len(images), name=name, where=images.source.where)


def _check_finite(logits: torch.Tensor, names: NDArray[np.object_]) -> None:
    undefined = (~logits.isfinite()).any(1).nonzero().flatten().tolist()
    if undefined:
        raise TeacherError(
            f"the model gives outputs that are not finite, first for {names[undefined[0]]}; check its weights and the "
            "mean and sd of its input"
        )
