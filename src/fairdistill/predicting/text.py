"""What was predicted, as text for a terminal."""

from __future__ import annotations

from fairdistill.predicting.result import PredictResult
from fairdistill.text.numbers import percentage
from fairdistill.text.sentences import capitalized
from fairdistill.text.tables import aligned

_SHOWN_CLASSES, _SHOWN_FILES = 20, 10


def render(result: PredictResult) -> str:
    """Return how many images were predicted to be of each class, how fast, and what to know about it."""
    speed = f" ({result.rows / result.seconds:,.0f} images/s)" if result.seconds > 0 else ""
    images = f"{result.rows:,} image{'' if result.rows == 1 else 's'}"
    lines = [f"{images} of {result.images}, predicted by {result.where} on {result.runtime}{speed}", ""]
    common = sorted(result.classes, key=lambda each: -each.images) if _many(result) else result.classes
    rows = [(each.class_name, f"{each.images:,}", percentage(each.images / result.rows)) for each in common]
    lines += aligned([("Attribute" if result.attributes else "Class", "images", "share"), *rows[:_SHOWN_CLASSES]])
    if _many(result):
        lines.append(f"and {len(rows) - _SHOWN_CLASSES:,} more classes")
    lines += ["", *result.model.in_words(), *(f"{capitalized(note)}." for note in result.notes)]
    if result.skipped:
        was = "image cannot be read and was" if len(result.skipped) == 1 else "images cannot be read and were"
        lines.append(f"{len(result.skipped):,} {was} left out:")
        lines += [f"  {each.image}: {each.reason}" for each in result.skipped[:_SHOWN_FILES]]
        if len(result.skipped) > _SHOWN_FILES:
            lines.append(f"  and {len(result.skipped) - _SHOWN_FILES:,} more")
    return "\n".join(lines)


def _many(result: PredictResult) -> bool:
    return len(result.classes) > _SHOWN_CLASSES
