"""Notes if the outputs of a model seem to be assigned to the wrong classes, or to be no classes."""

from __future__ import annotations

from shlex import quote

import numpy as np

from fairdistill.metrics.reordering import better_order
from fairdistill.predictions import Predictions
from fairdistill.tables.columns import classes_option
from fairdistill.tables.order import number
from fairdistill.text.lists import listed
from fairdistill.text.numbers import percent

_SHOWN = 5
_MOST_LISTED = 20
_FEWEST = 20  # classes that are whole numbers, to be ages or other quantities
_NEAR = 0.1  # of the range of labels


def order_note(predictions: Predictions, *, attribute: str | None = None) -> tuple[str, ...]:
    """Return a note if another order of the outputs fits much better, see :mod:`fairdistill.metrics.reordering`.

    Args:
        predictions: what was audited.
        attribute: the name by which ``--yes-value`` knows its column, if it is one of several yes/no attributes.
    """
    found = better_order(predictions.predicted, predictions.samples)
    if found is None:
        return ()
    names, seen = predictions.class_names, set(predictions.labels.tolist())
    pairs = [(at, meant) for at, meant in enumerate(found.meant) if at != meant]
    named = [(at, meant) for at, meant in pairs if meant in seen]
    moved = [f"{names[at]!r} meant {names[meant]!r}" for at, meant in named]
    note = (
        f"With another order of the outputs the accuracy would be {percent(found.accuracy)}% instead of "
        f"{percent(float(predictions.correct.mean()))}%: if {listed(moved, _SHOWN)}. This usually means that "
        "outputs are assigned to the wrong classes; check which class each output stands for"
    )
    by_name = predictions.model is not None and predictions.model.output_classes != names
    if len(names) <= _MOST_LISTED and named == pairs and not by_name:
        if attribute is not None:
            fitting = f"predictions are coded, such as 0 and 1, --yes-value {quote(f'{attribute}={names[0]}')}"
            return (f"{note}. If {fitting} is the yes that fits",)
        order = classes_option([names[meant] for meant in found.meant])
        note += f". If outputs are assigned by position, {order} is the order that fits"
    return (note,)


def quantity_note(predictions: Predictions) -> tuple[str, ...]:
    """Return a note if classes are many whole numbers, and most predictions are wrong but near, as of rounded ages."""
    values = [number(name) for name in predictions.class_names]
    if (
        len(values) <= _FEWEST
        or not all(isinstance(value, int) for value in values)
        or predictions.correct.mean() > 0.5
    ):
        return ()
    numbers = np.array(values, np.float64)
    labels, off = numbers[predictions.labels], ~predictions.correct
    distance = np.abs(labels - numbers[predictions.predicted])[off]
    if np.median(distance) > _NEAR * np.ptp(labels):
        return ()
    return (
        f"The {len(values):,} classes are whole numbers, and half of the wrong predictions are off by at most "
        f"{np.median(distance):g}; if they measure something, such as an age, cut labels and predictions into ranges",
    )
