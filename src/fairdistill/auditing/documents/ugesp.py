"""Adverse impact under the Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4."""

from __future__ import annotations

from fairdistill.auditing.documents.parts import (
    FAIRLEARN_SOURCE,
    FOUR_FIFTHS,
    FOUR_FIFTHS_WARNING,
    LEVEL,
    UGESP_SOURCE,
    blanks,
    categories,
    heading,
    joined,
    made_from,
    of_measure,
    several_rows_per_source,
    sources,
)
from fairdistill.auditing.documents.provenance import Provenance
from fairdistill.auditing.result import AuditResult
from fairdistill.auditing.selection import SMALL, CategoryRow
from fairdistill.text.markup import as_markdown


def ugesp(result: AuditResult, provenance: Provenance) -> str:
    """Return the document."""
    return joined(
        [
            heading(
                "Impact of a selection procedure",
                "This draft follows 29 CFR 1607.4 (Uniform Guidelines on Employee Selection Procedures), paragraph D: "
                "four fifths, and statistical significance.",
                provenance,
            ),
            "## About the procedure",
            blanks(
                [
                    ("Procedure and job", "name, and what it decides"),
                    ("User of the procedure", "name"),
                    ("Applicants", "who they are, and the period"),
                    ("Groups", "whether they are those of 29 CFR 1607.4 B"),
                    ("Practical significance", "what the differences below mean for the people concerned"),
                    (
                        "Other evidence",
                        "longer periods, recruiting, other steps of the selection process (paragraph C)",
                    ),
                ]
            ),
            "## Data, model and versions",
            made_from(result, provenance),
            "## Selection rates and impact ratios",
            f"Selected means that the procedure's output is {as_markdown(str(result.positive))}. Paragraph B asks for "
            "sex and for races and ethnic groups; combinations of several columns are given in addition.",
            *(categories(each, _flag, unknown="applicants") for each in of_measure(result, "selection rate")),
            "## Reading these numbers",
            "Under paragraph D, the enforcement agencies generally regard a rate below four fifths "
            f"({100 * FOUR_FIFTHS:g}%) of the highest as evidence of adverse impact. Smaller differences may still be "
            "adverse impact if they are significant in both statistical and practical terms; greater ones may not be "
            "if they rest on small numbers and are not statistically significant. Both are therefore given. The "
            "Guidelines name no test; here it is Fisher's exact test against the reference, significant at p up to "
            f"{LEVEL:g}, not corrected for the number of groups.",
            f"Groups with less than {100 * SMALL:g}% of the samples are marked as small. An interval of the impact "
            f"ratio that contains {100 * FOUR_FIFTHS:g}% means that these data do not settle on which side it lies.",
            several_rows_per_source(result),
            FOUR_FIFTHS_WARNING,
            sources([UGESP_SOURCE, FAIRLEARN_SOURCE]),
        ]
    )


def _flag(row: CategoryRow) -> str:
    """Return whether a category is below four fifths, and whether it differs significantly."""
    small = "; small group" if row.small else ""
    if not row.p_value >= 0:  # the reference, or undefined
        return small.removeprefix("; ")
    ratio = (
        f"below {100 * FOUR_FIFTHS:g}%" if row.impact_ratio.value < FOUR_FIFTHS else f"{100 * FOUR_FIFTHS:g}% or more"
    )
    sure = "significant" if row.p_value <= LEVEL else "not significant"
    return f"{ratio}, {sure}{small}"
