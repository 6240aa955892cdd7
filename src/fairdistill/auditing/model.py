"""Auditing a model with a data set: the model is run on the test images."""

from __future__ import annotations

from dataclasses import replace

from fairdistill.auditing.attribute_model import one_of_several, run_opened
from fairdistill.auditing.images import read_images
from fairdistill.auditing.options import AuditOptions
from fairdistill.models import trust_code
from fairdistill.predictions import Predictions
from fairdistill.predictions.trained.as_deployed import data_options_as_deployed
from fairdistill.predictions.trained.model import load_model, predictions_of
from fairdistill.predictions.trained.own_description import own_description
from fairdistill.predictions.trained.source import given_for_data, source_of
from fairdistill.system.caller import caller_untouched
from fairdistill.system.runtime import choose_runtime, use_threads
from fairdistill.text.sentences import capitalized


def run_model(path: str, options: AuditOptions) -> tuple[Predictions, Predictions | None]:
    """Run a model on the test images of a data set, and on its own validation images if it has some.

    Args:
        path: a run folder, a weights file or an exported program.
        options: the data, and anything about the model that its file does not contain.

    Raises:
        UsageError: for a model or options that do not fit.
        DataError: for data that cannot be used.
    """
    assert options.data is not None
    trust_code(options.model)
    source = source_of(path, options, **given_for_data(options.data, options.data_options))
    own = own_description(source)  # a model that cannot be read is an error before any image is
    if one_of_several(own.described, options):
        found = run_opened(source, own, options)
        return found.test[0], found.validation[0]
    seen = data_options_as_deployed(source, own.described, options.data, options.data_options)
    with caller_untouched():
        use_threads(options.threads)
        runtime = choose_runtime(options.device, options.precision)
        audited, validation = read_images(path, replace(options, data_options=seen))
        model = load_model(source, audited, runtime, file=own.file)
        predictions = predictions_of(model, audited, where=path, runtime=runtime)
        notes = [capitalized(note) for note in audited.notes]
        predictions = replace(predictions, notes=(*predictions.notes, *notes))
        if validation is None:
            return predictions, None
        return predictions, predictions_of(model, validation, where=path, runtime=runtime)
