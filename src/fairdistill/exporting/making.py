"""Making an exported file, and everything beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from fairdistill.data import GroupedDataset, Recipe
from fairdistill.data.images.described import decoding_in
from fairdistill.errors import FairdistillError, UsageError
from fairdistill.exporting.audited_images import AuditedImages, audited_images, prepared
from fairdistill.exporting.correcting import FUNCTIONS, Decide, corrected, decide
from fairdistill.exporting.extras import check_installed
from fairdistill.exporting.files import INPUT, OUTPUT, onnx_model, program_bytes, weights_bytes
from fairdistill.exporting.graph import ExportedGraph
from fairdistill.exporting.int8 import quantized
from fairdistill.exporting.options import ExportOptions
from fairdistill.exporting.preprocessing import metadata_of, preprocess_content
from fairdistill.exporting.reauditing import Reference, of_file, reaudit, values_of
from fairdistill.exporting.result import ExportedCorrection, ExportResult, Reaudit, ReauditedAttribute, Values
from fairdistill.models import trust_code
from fairdistill.models.description.preprocessing import preprocessing_of
from fairdistill.models.files.kinds import program_kind
from fairdistill.posthoc import CORRECTION, StoredCorrection, read_correction
from fairdistill.predictions import run_predictions
from fairdistill.predictions.attribute_run import attributes_of_run, run_attribute
from fairdistill.predictions.trained.agreement import decoding_of
from fairdistill.predictions.trained.attribute_model import (
    load_attribute_model,
    predictions_of_each,
    yes_in_words,
)
from fairdistill.predictions.trained.model import DeployedModel, load_model
from fairdistill.predictions.trained.own_description import OwnDescription, own_description
from fairdistill.predictions.trained.source import ModelSource, given_for_data, open_run, source_of
from fairdistill.runs import RunFolder, check_no_input, nearest_existing, write_bytes, write_json
from fairdistill.runs.creation import check_writable
from fairdistill.system.caller import caller_untouched
from fairdistill.system.runtime import Runtime, choose_runtime, use_threads
from fairdistill.system.unfinished import lent, own_name, remove_abandoned
from fairdistill.tables.columns import listed_once
from fairdistill.text.progress import working

_PREPROCESS, _RESULT = "preprocess.json", "export.json"
_CPU = torch.device("cpu")


def exported(path: str, options: ExportOptions) -> ExportResult:
    """Export a model; see :func:`fairdistill.export`."""
    folder = Path(options.out)
    target = folder / f"model{'.int8' if options.int8 else ''}.{options.format}"
    for name in (target.name, _PREPROCESS, _RESULT, CORRECTION, *FUNCTIONS):
        check_no_input(folder / name, "--out", (path, options.data, options.correction))
    check_writable(folder)
    if options.format == "onnx":
        check_installed()
    trust_code(options.model)
    source = _source(path, options)
    run = open_run(source)
    correction = None if options.correction is None else read_correction(options.correction)
    if correction is not None and options.format == "safetensors":
        raise UsageError(
            f"a file of weights cannot hold {correction.kind}; choose --format onnx or pt2, or drop --correction"
        )
    if program_kind(Path(source.path)) == "onnx":
        raise UsageError(
            f"{path} is an ONNX file, which cannot be exported again; give the model that it was made from"
        )
    with caller_untouched():
        use_threads(options.threads)
        own = own_description(source)
        images = audited_images(source, own.described, run, options)
        made = _made(source, own, images, options, correction)
        checked = _Checked()
        if images is not None and options.reaudit:
            with _tried(target) as tried:  # a file that cannot be used does not replace an earlier export
                write_bytes(tried, made.content)
                checked = _checked(made, of_file(source, str(tried)), run, images.test, options, correction)
        folder.mkdir(parents=True, exist_ok=True)
        _write(made, target, correction)
    model = made.model
    side = model.reading.size
    taken = f"uint8 [N, {side}, {side}, 3]" if options.with_preprocessing else f"float32 [N, 3, {side}, {side}]"
    result = ExportResult(
        where=path,
        format=options.format,
        int8=options.int8,
        file=str(target),
        bytes=len(made.content),
        preprocessing=str(folder / _PREPROCESS),
        input=f"{INPUT}: {taken}",
        output=f"{OUTPUT}: float32 [N, {len(model.reading.output_classes)}]",
        classes=model.reading.output_classes,
        correction=None if correction is None else _exported_correction(correction, made, folder, checked.uncorrected),
        model=model.reading,
        reaudit=checked.reaudit,
        attributes=checked.attributes,
        notes=(*model.notes, *made.notes, *(images.notes if images is not None else ())),
    )
    write_json(folder / _RESULT, result.to_dict())
    return result


@dataclass(frozen=True)
class _Made:
    """The content of the exported file and of ``preprocess.json``, and what is to be noted."""

    model: DeployedModel
    content: bytes
    preprocess: dict[str, object]
    function: Decide | None = None
    notes: tuple[str, ...] = ()


@contextmanager
def _tried(target: Path) -> Iterator[Path]:
    """Give a path in a temporary folder on the disk of the target, whose name errors have."""
    folder, name = nearest_existing(target.parent), f".{target.parent.name}-{target.name}"
    remove_abandoned(folder, name)  # of a killed export
    with lent(folder / own_name(name)) as scratch:
        tried = scratch / target.name
        try:
            yield tried
        except FairdistillError as error:
            raise type(error)(str(error).replace(str(tried), str(target))) from error


def _write(made: _Made, target: Path, correction: StoredCorrection | None) -> None:
    """Write the exported file and those beside it, and remove those of an earlier export."""
    folder = target.parent
    write_json(folder / _PREPROCESS, made.preprocess)
    write_bytes(target, made.content)
    for name in (CORRECTION, *FUNCTIONS):
        (folder / name).unlink(missing_ok=True)
    if correction is not None:
        write_json(folder / CORRECTION, correction.content())
    if made.function is not None:
        write_bytes(folder / made.function.name, made.function.content)


@dataclass(frozen=True)
class _Checked:
    """The audit of the exported file: for one label or for several attributes, and the model before a correction."""

    reaudit: Reaudit | None = None
    attributes: tuple[ReauditedAttribute, ...] = ()
    uncorrected: Values | None = None


def _checked(
    made: _Made,
    file: ModelSource,
    run: RunFolder | None,
    test: GroupedDataset,
    options: ExportOptions,
    correction: StoredCorrection | None,
) -> _Checked:
    references, uncorrected = _references(made.model, run, test, options), None
    if correction is not None:
        (reference,) = references
        uncorrected = values_of(reference.predictions)
        references = [replace(reference, predictions=corrected(reference.predictions, correction))]
    found = reaudit(file, test, references, tolerance=options.tolerance, function=made.function)
    if test.attributes is None:
        return _Checked(reaudit=found[0], uncorrected=uncorrected)
    named = zip(test.attributes.names, found, strict=True)
    return _Checked(attributes=tuple(ReauditedAttribute(attribute=name, reaudit=each) for name, each in named))


def _exported_correction(
    correction: StoredCorrection, made: _Made, folder: Path, uncorrected: Values | None
) -> ExportedCorrection:
    return ExportedCorrection(
        kind=correction.kind,
        groups=correction.group_names or None,
        function=None if made.function is None else str(folder / made.function.name),
        record=str(folder / CORRECTION),
        uncorrected=uncorrected,
    )


@working("making the file")
def _made(
    source: ModelSource,
    own: OwnDescription,
    images: AuditedImages | None,
    options: ExportOptions,
    correction: StoredCorrection | None,
) -> _Made:
    data = images.test.of_outputs() if images is not None else _without_data(source, own)
    answers = _answers(own, images)
    if answers is not None and correction is not None:
        raise UsageError(f"--correction {options.correction} is for one label; {source.path} has several; drop it")
    load = load_model if answers is None else load_attribute_model
    model = load(source, data, Runtime(_CPU, torch.float32), file=own.file)
    how = decoding_in(own.metadata) if images is None else decoding_of(data)
    pixels = options.with_preprocessing
    names = model.reading.output_classes
    metadata = metadata_of(model, how=how, pixels=pixels, answers=answers)
    function, offsets = None, None
    if correction is not None and correction.needs_group:
        function = decide(correction, names, options.format)
        metadata["decision"] = json.dumps(function.described())
    elif correction is not None:
        offsets = torch.from_numpy(correction.matrix(names)[0].astype(np.float32))
        metadata["correction"] = json.dumps(correction.content())
    if options.format == "safetensors":
        content = weights_bytes(model, metadata, name=source.path)
    elif options.format == "pt2":
        content = program_bytes(ExportedGraph(model, pixels=False, offsets=offsets), metadata, name=source.path)
    else:
        whole = onnx_model(ExportedGraph(model, pixels=pixels, offsets=offsets), metadata, name=source.path)
        if options.int8:
            assert images is not None
            assert images.ranges is not None
            whole = quantized(whole, prepared(images.ranges, model.recipe, pixels=pixels), metadata, name=source.path)
        content = whole.SerializeToString()
    outputs = model.reading.outputs if options.format == "safetensors" else "logits"
    preprocess = dict(preprocess_content(model, how=how, pixels=pixels, outputs=outputs))
    if answers is not None:
        preprocess["attributes"] = dict(zip(names, answers or [None] * len(names), strict=True))
    if function is not None:
        preprocess["decision"] = function.described()
    notes = (yes_in_words(names, answers),) if answers else ()
    return _Made(model, content, preprocess, function, notes)


def _answers(own: OwnDescription, images: AuditedImages | None) -> tuple[tuple[str, str], ...] | None:
    """Return the two values of each of several yes/no attributes, as far as they are known; None without attributes."""
    if images is not None:
        return None if images.test.attributes is None else images.test.attributes.answers
    described = own.described
    if not described.multi_label:
        return None
    return described.answers or ()


def _source(path: str, options: ExportOptions) -> ModelSource:
    of_data = {} if options.data is None else given_for_data(options.data, options.data_options)
    return source_of(path, options, **{**of_data, "classes": options.classes})


def _without_data(source: ModelSource, own: OwnDescription) -> GroupedDataset:
    """Return drawn images, on which a model is tried where nobody names data."""
    names = own.described.class_names if source.classes is None else listed_once(source.classes)
    found = preprocessing_of(own.described, own.metadata)
    size = source.size or own.described.size
    if names is None:
        raise UsageError(
            f"{source.path} does not name its classes; name them in the order of its outputs with --classes, or name "
            "its data with --data"
        )
    if found is None and (size is None or source.mean is None or source.std is None):
        raise UsageError(
            f"{source.path} does not say how its images are prepared; add --model-size, --model-mean and --model-std, "
            "or name its data with --data"
        )
    recipe = found.recipe if found is not None else Recipe(size=size or 1)
    draw = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (16, 3, *recipe.stored), generator=draw).to(torch.uint8)
    return GroupedDataset.unlabelled("drawn images", images, class_names=names, recipe=recipe)


def _references(
    model: DeployedModel, run: RunFolder | None, test: GroupedDataset, options: ExportOptions
) -> list[Reference]:
    """Return the predictions, for each attribute or the only label, that a run has recorded, or those made here."""
    if run is not None and options.data is None:
        if test.attributes is None:
            return [Reference(run_predictions(run), _computed(run))]
        recorded = (run_attribute(run, each) for each in attributes_of_run(run))
        return [Reference(each, _computed(run)) for each in recorded if each is not None]
    runtime = choose_runtime(options.device, options.precision)
    where = str(run.path) if run is not None and test.attributes is None else "the model"
    found = predictions_of_each(model, test, where=where, runtime=runtime)
    return [Reference(each, str(runtime.dtype).removeprefix("torch.")) for each in found]


def _computed(run: RunFolder) -> str:
    """Return the precision of a run's predictions."""
    return str(run.environment.get("device", "")).rpartition(", ")[2] or str(run.config.get("precision"))
