"""A fix in plain words: the verdict first, then what is behind it."""

from __future__ import annotations

from fairdistill.fixing.recommendation import advice, evidence
from fairdistill.fixing.recommendation.wording import headline, paragraphs
from fairdistill.fixing.result import FixResult
from fairdistill.text.numbers import percent
from fairdistill.text.tables import markdown


def render(result: FixResult) -> str:
    """Return the recommendation as Markdown that reads well as it is."""
    lines = [f"# {headline(result)}", ""]
    for paragraph in paragraphs(result):
        lines += [paragraph, ""]
    lines += [_on_test(result), "", evidence.which_accuracy(result), ""]
    if result.kept is not None:
        lines += ["## Who gains and who loses", "", *_items(evidence.who_changes(result.kept))]
    lines += ["## How sure this is", "", *_items(evidence.sureness(result))]
    if result.verdict == "use":
        lines += ["## What it costs", "", *_items(advice.costs(result))]
    remedies = advice.remedies(result)
    if remedies:
        lines += ["## What would settle it", "", *_items(remedies)]
    if len(result.candidates) > 1:
        lines += ["## Candidates on the validation set (percent)", "", *_candidates(result)]
    model = result.test_before.model
    notes = [*(model.in_words() if model is not None else ()), *(f"{note}." for note in result.notes)]
    if notes:
        lines += ["## Notes", "", *_items(notes)]
    return "\n".join(lines).rstrip()


def _items(sentences: list[str]) -> list[str]:
    return [*(f"* {' '.join(each.split())}" for each in sentences), ""]  # a class name may have a line break


def _on_test(result: FixResult) -> str:
    heading = [f"{result.test_before.rows:,} test images, percent", "Your model"]
    rows = evidence.on_test(result)
    if result.test_after is None:
        return markdown([heading, *([title, own] for title, own, _, _ in rows)])
    return markdown([[*heading, result.chosen, "Change"], *map(list, rows)])


def _candidates(result: FixResult) -> list[str]:
    rows = [["Candidate", "DEO_A", "DEO_M", "Accuracy", "Balanced accuracy", "Worst subgroup", ""]]
    shown = advice.shown_candidates(result)
    for each, mark in shown:
        values = (each.deo_a, each.deo_m, each.accuracy, each.balanced_accuracy, each.worst_subgroup)
        rows.append([advice.shown_name(each), *map(percent, values), mark])
    return [
        markdown(rows),
        "",
        *(f"* {each.name}: {each.description}" for each, _ in shown if each.family != "deployed"),
        "",
        f"These are the best of each family; report.html shows all. Rule: `{result.rule}`. "
        f"{advice.searched_in_words(result)}",
        "",
    ]
