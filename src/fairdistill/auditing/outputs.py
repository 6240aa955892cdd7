"""A note if the outputs of a model seem to be assigned to the wrong classes."""

from __future__ import annotations

from fairdistill.metrics.reordering import better_order
from fairdistill.predictions import Predictions
from fairdistill.tables.columns import classes_option
from fairdistill.text.numbers import percent

_SHOWN = 5
_MOST_LISTED = 20


def order_note(predictions: Predictions) -> tuple[str, ...]:
    """Return a note if another order of the outputs fits much better, see :mod:`fairdistill.metrics.reordering`."""
    found = better_order(predictions.predicted, predictions.samples)
    if found is None:
        return ()
    names = predictions.class_names
    moved = [f"{names[at]!r} meant {names[meant]!r}" for at, meant in enumerate(found.meant) if at != meant]
    more = f" and {len(moved) - _SHOWN} more" if len(moved) > _SHOWN else ""
    note = (
        f"With another order of the outputs the accuracy would be {percent(found.accuracy)}% instead of "
        f"{percent(float(predictions.correct.mean()))}%: if {', '.join(moved[:_SHOWN])}{more}. This usually means that "
        "outputs are assigned to the wrong classes; check which class each output stands for"
    )
    by_name = predictions.model is not None and predictions.model.output_classes != names
    if len(names) <= _MOST_LISTED and not by_name:
        order = classes_option([names[meant] for meant in found.meant])
        note += f". If outputs are assigned by position, {order} is the order that fits"
    return (note,)
