"""The parts of the technical documentation under Annex IV of the EU AI Act that an audit can fill: 2 (g), 3 and 4."""

from __future__ import annotations

from fairdistill.auditing.documents.parts import (
    FAIRLEARN_SOURCE,
    FOUR_FIFTHS_WARNING,
    blank,
    blanks,
    categories,
    heading,
    joined,
    made_from,
    of_measure,
    shown,
    sources,
)
from fairdistill.auditing.documents.provenance import Provenance
from fairdistill.auditing.limit_text import limits_in_words
from fairdistill.auditing.result import AuditResult
from fairdistill.auditing.selection import CategoryRow
from fairdistill.auditing.text import in_words, no_harm
from fairdistill.text.markup import as_markdown, table
from fairdistill.text.numbers import percent

_MOST_CELLS = 200


def annex_iv(result: AuditResult, provenance: Provenance) -> str:
    """Return the document."""
    return joined(
        [
            heading(
                "Technical documentation: accuracy and discriminatory impacts",
                "This draft follows Regulation (EU) 2024/1689 (AI Act), Annex IV, points 2 (g), 3 and 4, which Article "
                "11 (1) asks of high-risk AI systems; it is a part of the technical documentation, not all of it.",
                provenance,
            ),
            "## 1. The system",
            blanks(
                [
                    ("Intended purpose", "point 1 (a)"),
                    ("Provider", "name, point 1 (a)"),
                    ("Version of the system", "and its relation to earlier versions, point 1 (a)"),
                ]
            ),
            *_testing(result, provenance),
            *_performance(result),
            "## 4. Appropriateness of the performance metrics",
            "Accuracy counts every sample alike. DEO is the difference of equalized odds: the largest difference "
            "between two groups in the share of a class that is classified correctly; DEO\\_A is its mean and DEO\\_M "
            "its maximum over the classes. Chance alone makes a DEO larger than 0, so that level is given beside it. "
            "Impact ratios compare how often groups are selected, whether or not the selection is correct.",
            blank("why these metrics fit the intended purpose, or which others do, point 4"),
            FOUR_FIFTHS_WARNING if result.selection else "",
            sources(
                [
                    "Regulation (EU) 2024/1689, Annex IV: <https://eur-lex.europa.eu/eli/reg/2024/1689/oj>",
                    *([FAIRLEARN_SOURCE] if result.selection else []),
                ]
            ),
        ]
    )


def _testing(result: AuditResult, provenance: Provenance) -> list[str]:
    """Return point 2 (g): procedures, data, metrics, discriminatory impacts, and who signs."""
    limits = [f"* {as_markdown(line)}" for line in limits_in_words(result)]
    notes = [f"* {as_markdown(note)}." for note in result.notes]
    against = [] if result.against is None else no_harm(result.against)
    return [
        "## 2 (g). Validation and testing",
        "### Test data and procedure",
        made_from(result, provenance),
        f"{len(result.class_names)} classes and {len(result.group_names)} groups. "
        f"{blank('provenance, selection and main characteristics of the test data; how groups were recorded')}",
        "\n".join(["Remarks of the audit:", "", *notes]) if notes else "",
        "### Accuracy and robustness",
        _metrics(result),
        blank("robustness tests, and compliance with the other requirements of Chapter III, Section 2"),
        "### Potentially discriminatory impacts",
        " ".join(map(as_markdown, in_words(result))),
        _groups(result),
        *(categories(each, _flag, unknown="samples") for each in of_measure(result, "selection rate")),
        f"Against {as_markdown(str(result.against.where))}: {' '.join(map(as_markdown, against))}"
        if result.against is not None
        else "",
        "\n".join(["Limits that were set before the test:", "", *limits]) if limits else "",
        "### Test report",
        f"Tested on {provenance.date}. The complete numbers are in the audit's JSON file, which belongs to the test "
        f"logs. Responsible: {blank('name, date and signature')}",
    ]


def _performance(result: AuditResult) -> list[str]:
    """Return point 3: capabilities and limitations, by group."""
    return [
        "## 3. Capabilities and limitations in performance",
        f"Overall expected accuracy on data like the test data: {shown(result.accuracy)}%. "
        f"{blank('in relation to the intended purpose')}",
        "Degrees of accuracy for specific groups of persons, by class:",
        _cells(result),
        blanks(
            [
                ("Groups not examined", "persons on whom the system is intended to be used and who are not listed"),
                ("Foreseeable unintended outcomes", "and sources of risks to health, safety, fundamental rights"),
                ("Human oversight", "measures under Article 14"),
                ("Input data", "specifications, as appropriate"),
            ]
        ),
        "\n".join(f"* {as_markdown(line)}" for line in result.model.in_words()) if result.model is not None else "",
    ]


def _metrics(result: AuditResult) -> str:
    found = result.metrics
    rows = [("Metric", f"percent [{100 * result.confidence:g}% interval]", "by chance alone")]
    for title, value, floor in (
        ("Accuracy", found.accuracy, ""), ("Balanced accuracy", found.balanced_accuracy, ""),
        ("Worst group", found.worst_group, ""), ("Worst subgroup", found.worst_cell, ""),
        ("DEO\\_A", found.deo_a, percent(found.deo_a.floor)), ("DEO\\_M", found.deo_m, percent(found.deo_m.floor)),
        ("AUC", found.auc, ""), ("Brier score", found.brier, ""),
    ):  # fmt: skip
        if found.calibration_error is not None or title not in ("AUC", "Brier score"):
            rows.append((title, shown(value), floor))
    return table(rows)


def _groups(result: AuditResult) -> str:
    scored = result.metrics.calibration_error is not None
    rows = [("Group", "samples", "accuracy", *(("AUC", "Brier score") if scored else ()), "impact ratio", "of class")]
    for group in result.groups:
        scores = (shown(group.auc), shown(group.brier)) if scored else ()
        ratio = group.impact_ratio
        rows.append(
            (
                as_markdown(group.group), f"{group.rows:,}", shown(group.accuracy), *scores, percent(ratio.value),
                as_markdown(ratio.class_name or ""),
            )
        )  # fmt: skip
    return table(rows)


def _cells(result: AuditResult) -> str:
    cells = sorted(result.cells, key=lambda cell: (cell.rows == 0, cell.accuracy.value))
    rows = [("Group", "class", "samples", "accuracy")]
    rows += [
        (
            as_markdown(cell.group), as_markdown(cell.class_name), f"{cell.rows:,}",
            shown(cell.accuracy) if cell.rows else "no samples",
        )
        for cell in cells[:_MOST_CELLS]
    ]  # fmt: skip
    more = len(cells) - _MOST_CELLS
    return table(rows, left=2) + (f"\n\n{more:,} more are in the audit's JSON file." if more > 0 else "")


def _flag(row: CategoryRow) -> str:
    return "under 2% of the samples" if row.small else ""
