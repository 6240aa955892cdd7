"""The numbers of a bias audit under New York City's Local Law 144 of 2021 and its rules, 6 RCNY 5-300 to 5-304."""

from __future__ import annotations

from collections.abc import Sequence

from fairdistill.auditing.documents.parts import (
    FAIRLEARN_SOURCE,
    FOUR_FIFTHS_WARNING,
    UGESP_SOURCE,
    blank,
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
from fairdistill.auditing.selection import SMALL, CategoryRow, CategoryTable
from fairdistill.text.markup import as_markdown


def nyc(result: AuditResult, provenance: Provenance) -> str:
    """Return the document."""
    selection, scoring = (of_measure(result, measure) for measure in ("selection rate", "scoring rate"))
    return joined(
        [
            heading(
                "Bias audit of an automated employment decision tool",
                "This draft follows the form of a bias audit under New York City's Local Law 144 of 2021 and 6 RCNY § "
                "5-300 to 5-304. The law asks for an independent auditor; running a command does not make one.",
                provenance,
            ),
            "## About the tool and the audit",
            blanks(
                [
                    ("Tool", "name, vendor and version"),
                    ("Distribution date", "when the tool was first used, § 5-303 (a) (2)"),
                    ("Employer or employment agency", "name"),
                    ("Independent auditor", "name, and why independent, § 5-300"),
                    ("Source and explanation of the data", "where they come from and which period they cover"),
                    (
                        "Historical or test data",
                        "if test data: why historical data were not used, and how the test data were made, § 5-302 (b)",
                    ),
                    (
                        "Categories",
                        "whether they are those of EEO-1 Component 1: sex, race or ethnicity, § 5-300",
                    ),
                ]
            ),
            "## Data, model and versions",
            made_from(result, provenance),
            "## Selection rates and impact ratios",
            f"Selected means that the tool's output is {as_markdown(str(result.positive))}. An impact ratio is the "
            "rate of a category divided by that of the most selected one (§ 5-300, § 5-301 (b)); it is given for each "
            "attribute and, if there are several, for their combinations.",
            *(categories(each, _flag, unknown="individuals") for each in selection),
            _missing(result),
            _scoring(scoring, result),
            "## Reading these numbers",
            f"A category with less than {100 * SMALL:g}% of the data may be left out of the impact ratios by the "
            "auditor; the justification, its number and its rate must still be given (§ 5-301 (d)). Such categories "
            "are marked.",
            "Local Law 144 asks for these numbers but sets no ratio that must be reached. " + FOUR_FIFTHS_WARNING,
            "Fisher's exact test compares each category with the reference; its p-values are not corrected for the "
            "number of categories, and the rules do not ask for them.",
            several_rows_per_source(result),
            "An employer may use the tool only if such an audit was made within the last year (New York City "
            "Administrative Code § 20-871 (a) (1)).",
            sources(
                [
                    "New York City Administrative Code § 20-870 to 20-874 (Local Law 144 of 2021)",
                    "Rules of the City of New York, Title 6, § 5-300 to 5-304: "
                    "<https://codelibrary.amlegal.com/codes/newyorkcity/latest/NYCrules/0-0-0-138530>",
                    UGESP_SOURCE,
                    FAIRLEARN_SOURCE,
                ]
            ),
        ]
    )


def _flag(row: CategoryRow) -> str:
    return f"under {100 * SMALL:g}% of the data" if row.small else ""


def _missing(result: AuditResult) -> str:
    """Return that combinations are missing, if there is one attribute."""
    tables = of_measure(result, "selection rate")
    if len(tables) > 1:
        return ""
    return (
        f"The rules also ask for each combination of sex and race or ethnicity. {blank('the other attribute')}: name "
        "both columns, --group race,sex, to get all three tables."
    )


def _scoring(tables: Sequence[CategoryTable], result: AuditResult) -> str:
    """Return the scoring rates, which the rules ask for where the tool gives a score."""
    if not tables:
        return (
            "If the tool gives a score rather than a decision, the rules ask for scoring rates (§ 5-301 (c)); this "
            "table of predictions has no scores."
        )
    text = (
        "## Scoring rates and impact ratios\n\nFor a tool that gives a score: the scoring rate is the share of a "
        f"category with a score for {as_markdown(str(result.positive))} above the median of all samples (§ 5-300, § "
        "5-301 (c))."
    )
    return "\n\n".join([text, *(categories(each, _flag, unknown="individuals") for each in tables)])
