"""What was exported, as text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from fairdistill.exporting.result import ExportedCorrection, ExportResult, Reaudit, ReauditedAttribute
from fairdistill.text.numbers import percent, percentage, signed
from fairdistill.text.sentences import capitalized
from fairdistill.text.tables import aligned


def render(result: ExportResult) -> str:
    """Return what the file takes and returns, and how it compares with the model."""
    small = " (8-bit integers)" if result.int8 else ""
    lines = [
        f"{result.where} as {result.format}{small}: {result.file}, {result.bytes / 2**20:,.1f} MiB",
        "",
        f"Input   {result.input}",
        f"Output  {result.output}: {', '.join(result.classes[:12])}{' ...' if len(result.classes) > 12 else ''}",
        f"How an image becomes the input: {result.preprocessing}",
        *_correction(result.correction),
        "",
    ]
    if result.attributes:
        lines += _attributes(result.attributes)
    elif result.reaudit is None:
        lines.append("The file was not audited: name a test set with --data to compare it with the model.")
    else:
        lines += _compared(result.reaudit, int8=result.int8)
    notes = [f"{capitalized(note)}." for note in result.notes]
    return "\n".join([*lines, *(["", *notes] if notes else [])])


def _correction(found: ExportedCorrection | None) -> list[str]:
    if found is None:
        return []
    if found.function is None:
        how = f"Decisions are corrected by {found.kind}, which is part of the file ({found.record})."
    else:
        how = (
            f"Decisions are corrected by {found.kind}: {found.function} takes the logits and each person's group and "
            f"returns the class ({found.record} has the numbers)."
        )
    without = found.uncorrected
    if without is None:
        return [how]
    return [how, f"Without it: accuracy {percent(without.accuracy, 2)}, DEO_A {percent(without.deo_a, 2)}."]


def _attributes(found: Sequence[ReauditedAttribute]) -> list[str]:
    """Return a row for each attribute, and which are worse."""
    first = found[0].reaudit
    rows: list[tuple[str, ...]] = [("Percent", "accuracy", "of the file", "DEO_A", "of the file", "agreement")]
    for each in found:
        own, file = each.reaudit.model, each.reaudit.file
        values = (own.accuracy, file.accuracy, own.deo_a, file.deo_a, each.reaudit.agreement)
        rows.append((each.attribute, *(percent(value, 2) for value in values)))
    worse = [each for each in found if each.reaudit.verdict == "beyond"]
    limit = f"{percent(first.tolerance, 1)} points"
    audited = sorted({each.reaudit.rows for each in found})  # they differ if answers are missing
    images = " to ".join(dict.fromkeys((f"{audited[0]:,}", f"{audited[-1]:,}")))
    passed = f"Passed: for no attribute are accuracy or DEO_A worse by more than {limit}, or a subgroup significantly."
    return [
        f"Audited on {images} images of {first.where}; the model was evaluated in {first.computed}, the file in "
        "float32:",
        "",
        *aligned(rows),
        "",
        *(f"FAILED for {each.attribute} (tolerance {limit}): {'; '.join(each.reaudit.reasons)}." for each in worse),
        *([] if worse else [passed]),
    ]


def _compared(found: Reaudit, *, int8: bool) -> list[str]:
    rows = [("Percent", f"model ({found.computed})", "file", "change")]
    for name, field in (("Accuracy", "accuracy"), ("DEO_A", "deo_a"), ("DEO_M", "deo_m")):
        before, after = getattr(found.model, field), getattr(found.file, field)
        rows.append((name, percent(before, 2), percent(after, 2), signed(after - before, 2)))
    lines = [
        f"Audited on {found.rows:,} images of {found.where}:",
        "",
        *aligned(rows),
        "",
        f"The two agree on {percentage(found.agreement, 2)} of the images ({_apart(found)}); a probability differs by "
        f"at most {found.largest_difference:.2g}. Speed on this CPU with {found.threads} thread"
        f"{'' if found.threads == 1 else 's'}: {found.images_per_second:,.0f} images/s.",
    ]
    if not int8:
        lines.append(_precision(found))
    limit = f"{percent(found.tolerance, 1)} points"
    if found.verdict == "within":
        lines.append(
            f"Passed: accuracy and DEO_A are worse by at most {limit}, and no subgroup is significantly worse."
        )
    else:
        lines.append(f"FAILED (tolerance {limit}): {'; '.join(found.reasons)}.")
    return lines


def _apart(found: Reaudit) -> str:
    """Return on how many images they do not agree: on a small test set, a few can move DEO by more than a point."""
    count = round((1 - found.agreement) * found.rows)
    return f"{count:,} of {found.rows:,} differ{'s' if count == 1 else ''}" if count else "none differs"


def _precision(found: Reaudit) -> str:
    if found.computed == "float32":
        return "Serve it in float32, the precision in which the model was evaluated."
    return (
        f"Serve it in float32. The model was evaluated in {found.computed}: in that precision it predicts another "
        f"class for {percentage(1 - found.agreement, 2)} of the images."
    )
