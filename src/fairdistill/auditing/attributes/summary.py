"""An audit of several attributes as a short summary in Markdown, for example for the job summary of a pipeline."""

from __future__ import annotations

from fairdistill.auditing.attributes.result import AttributesResult
from fairdistill.auditing.attributes.text import (
    about_intervals,
    changes_of,
    collapsed_in_words,
    kept_by,
    largest,
    notes_of,
    rows_of,
)
from fairdistill.auditing.summary import code, folded_notes, outcome
from fairdistill.text.markup import as_markdown, table


def summary(result: AttributesResult) -> str:
    """Return the verdict over all attributes, the limits, and a row for each attribute as Markdown."""
    first = result.attributes[0].audit
    limits = [limit for each in result.attributes for limit in each.audit.limits]
    what = f"`{code(result.where)}`: {result.rows:,} samples, {len(result.attributes)} attributes, "
    parts = [
        f"## Fairness audit: {outcome(limits, allow_undecided=first.allow_undecided)}",
        f"{what}{len(first.group_names)} groups.",
        "\n".join(f"* {as_markdown(limit)}: {as_markdown(said)}." for limit, said in kept_by(result, words=True)),
        table([tuple(map(as_markdown, row)) for row in rows_of(result)]),
        as_markdown(about_intervals(result)),
        table([tuple(map(as_markdown, row)) for row in changes]) if (changes := changes_of(result)) else "",
        *map(as_markdown, collapsed_in_words(result)),
        as_markdown(largest(result)),
    ]
    if notes := notes_of(result):
        parts.append(folded_notes(notes))
    return "\n\n".join(filter(None, parts))
