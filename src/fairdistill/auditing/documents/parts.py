"""What the documents have in common."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from fairdistill.auditing.documents.provenance import Provenance
from fairdistill.auditing.result import AuditResult
from fairdistill.auditing.selection import SMALL, CategoryRow, CategoryTable
from fairdistill.metrics import Estimate
from fairdistill.text.markup import as_markdown, table
from fairdistill.text.numbers import interval, percent, signed

FOUR_FIFTHS = 0.8
LEVEL = 0.05
"""Largest p-value that is called statistically significant in these documents."""

UGESP_SOURCE = (
    "29 CFR 1607.4, Uniform Guidelines on Employee Selection Procedures: "
    "<https://www.ecfr.gov/current/title-29/section-1607.4>"
)
FAIRLEARN_SOURCE = (
    "Fairlearn user guide, *The Four Fifths Rule: Often Misapplied*: "
    "<https://fairlearn.org/main/user_guide/assessment/common_fairness_metrics.html>"
)
FOUR_FIFTHS_WARNING = (
    "The four-fifths rule is a rule of thumb of one area of US federal employment law. Fairlearn's user guide warns "
    "against using it elsewhere: outside that law it has no validity, and within it a ratio on either side of 80% "
    "neither proves nor rules out discrimination, let alone shows that a model is fair."
)


def blank(what: str) -> str:
    """Return a marked blank for a person to fill in."""
    return f"**[TO FILL IN: {what}]**"


def blanks(rows: Sequence[tuple[str, str]]) -> str:
    """Return a list of titles, each with a marked blank."""
    return "\n".join(f"* {title}: {blank(what)}" for title, what in rows)


def heading(title: str, form: str, provenance: Provenance) -> str:
    """Return the title, what the document is, and what it is not."""
    return (
        f"# {title}\n\n"
        f"Date of the audit: {provenance.date}. Computed by fairdistill {provenance.versions['fairdistill']}.\n\n"
        f"> **Not legal advice.** {form} It holds the numbers; what is marked **[TO FILL IN: ...]** is for people who "
        "know the system and its use. Whether it meets any legal requirement is for a lawyer to say."
    )


def made_from(result: AuditResult, provenance: Provenance) -> str:
    """Return the data, the model and the versions as a table."""
    samples = f"{result.rows:,}"
    if result.sources < result.rows:
        samples += f", from {result.sources:,} independent pictures or people"
    rows = [
        ("", ""),
        ("Data", as_markdown(provenance.data)),
        ("SHA-256 of the data", provenance.data_sha256 or blank("digest or version of the data")),
        ("Samples", samples),
        ("Without a group", f"{result.unknown_groups:,}"),
        (
            "Model",
            blank("name and version of the model") if provenance.model is None else as_markdown(provenance.model),
        ),
        ("SHA-256 of the model", provenance.model_sha256 or blank("digest of the model that made the predictions")),
        ("Versions", ", ".join(f"{name} {version}" for name, version in provenance.versions.items())),
        (
            "Intervals",
            f"{100 * result.confidence:g}%, {result.draws:,} draws, seed {result.seed}, {result.design} design",
        ),
    ]
    return table(rows, left=2)


def categories(found: CategoryTable, flag: Callable[[CategoryRow], str], *, unknown: str) -> str:
    """Return one table of categories with what is unknown and what the reference is.

    Args:
        found: the table.
        flag: returns what the last column says of a category.
        unknown: what a sample is called, for example ``individuals``.
    """
    what = as_markdown(" and ".join(found.attributes))
    scored = found.measure == "scoring rate"
    rate = "Scoring rate" if scored else "Selection rate"
    head = (
        what[:1].upper() + what[1:], "n", "share", "above the median" if scored else "selected", rate, "impact ratio",
        "difference, points", "Fisher's exact p", "",
    )  # fmt: skip
    rows = [head, *(_category(row, found.reference, flag) for row in found.categories)]
    lines = [
        f"### {rate} by {what}",
        table(rows),
        f"Numbers in percent with their intervals. {_reference(found)} "
        f"{found.unknown:,} {unknown} of unknown category are not in this table.",
    ]
    return "\n\n".join(lines)


def _category(row: CategoryRow, reference: str | None, flag: Callable[[CategoryRow], str]) -> tuple[str, ...]:
    is_reference = row.category == reference
    return (
        as_markdown(row.category), f"{row.rows:,}", percent(row.share), f"{row.selected:,}", shown(row.rate),
        percent(row.impact_ratio.value) if is_reference else shown(row.impact_ratio),
        "reference" if is_reference else _points(row.difference),
        _p(row.p_value),
        flag(row),
    )  # fmt: skip


def _p(value: float) -> str:
    """Return an exact p-value; empty if there is none."""
    return "" if math.isnan(value) else f"{value:.2g}" if value >= 0.0001 else "&lt; 0.0001"


def shown(found: Estimate) -> str:
    """Return a value with its interval, in percent; without one that has no end."""
    if not math.isfinite(found.high) and not math.isnan(found.value):
        return percent(found.value)
    return f"{percent(found.value)} {interval(found)}".rstrip()


def _points(found: Estimate) -> str:
    if math.isnan(found.value):
        return "undefined"
    return f"{signed(found.value)} [{signed(found.low)}, {signed(found.high)}]"


def _reference(found: CategoryTable) -> str:
    small = f"{100 * SMALL:g}%"
    if found.reference is None:
        among = "" if found.highest is None else f" in a category with at least {small} of the samples"
        return f"Nobody is selected{among}, so no ratio is defined."
    text = (
        f"Each is compared with {as_markdown(found.reference)}, which has the highest rate of the categories with at "
        f"least {small} of the samples; its intervals take that choice as given."
    )
    if found.highest != found.reference and found.highest is not None:
        text += (
            f" {as_markdown(found.highest)} has a higher rate but less than {small} of the samples; if it is not left "
            "out, it is the one to compare with."
        )
    return text


def of_measure(result: AuditResult, measure: str) -> list[CategoryTable]:
    """Return the tables of one measure."""
    return [found for found in result.selection or () if found.measure == measure]


def several_rows_per_source(result: AuditResult) -> str:
    """Return how samples of one source count; empty if each has its own."""
    if result.sources == result.rows:
        return ""
    return (
        "Samples of one source are not independent: intervals allow for that, and Fisher's exact test counts only as "
        "many samples as would be as precise."
    )


def sources(lines: Sequence[str]) -> str:
    """Return the section of sources."""
    return "## Sources\n\n" + "\n".join(f"* {line}" for line in lines)


def joined(parts: Sequence[str]) -> str:
    """Return the parts that are not empty as one document."""
    return "\n\n".join(filter(None, parts)) + "\n"
