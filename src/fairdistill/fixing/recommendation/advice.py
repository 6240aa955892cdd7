"""What a recommendation costs, what was tried, and what would settle an open verdict, in sentences."""

from __future__ import annotations

from fairdistill.fixing.result import FixResult
from fairdistill.fixing.search.candidates import Point
from fairdistill.fixing.verdict.settling import Settling
from fairdistill.fixing.verdict.verdict import Gain
from fairdistill.reporting.recommendation import CandidateResult
from fairdistill.text.durations import format_seconds
from fairdistill.text.lists import listed
from fairdistill.text.numbers import counted, percent

_NAMED = 4


def costs(result: FixResult) -> list[str]:
    """Return what it takes to use the chosen candidate, a short sentence each."""
    chosen = result.candidate(result.chosen)
    spent = format_seconds(chosen.seconds)
    lines = []
    if result.layer is not None:
        lines.append(
            f"Only the layer `{result.layer}` differs from your model: same format, size and speed, and the file loads "
            f"wherever yours does. Finding it took {spent}."
        )
    elif result.family == "student":
        lines.append(f"A network of the same kind, size and speed as yours, trained for {spent}.")
    elif result.model is not None:
        lines.append("A network of the same kind, size and speed as yours.")
    if result.needs_group:
        lines.append(
            f"You must know each person's group whenever it is used{'' if result.use is None else f': {result.use}'}. "
            "`correction.json` holds the numbers; `fairdistill export MODEL --correction FOLDER` (the folder of this "
            "fix) writes them as a function beside the model."
        )
    else:
        lines.append("You do not need to know a person's group to use it.")
    return lines


def remedies(result: FixResult) -> list[str]:
    """Return what would settle an open verdict, a sentence each; nothing if the verdict is final."""
    lines = [] if result.settling is None else [settled_by(result.settling, result.metric)]
    if result.verdict == "unproven" and result.reason == "none better":
        lines.append(f"{_further(result)}, or relax the rule (--rule) if what it asks for is more than you need.")
        corrected = with_group(result)
        if corrected is not None:
            lines.append(
                f"If you know each person's group whenever the model is used, add --group-at-use: `{corrected.name}` "
                f"has a DEO_A of {percent(corrected.deo_a)}% and an accuracy of {percent(corrected.accuracy)}% on the "
                "validation set."
            )
    elif result.reason == "not searched":
        lines.append("To search for a fairer model all the same, repeat the command with a smaller --fair-enough.")
    elif result.reason == "not confirmed" and result.settling is None:
        nothing = nothing_to_settle(result.gain, result.metric)
        lines += [f"{_further(result)}, or bring more images of the smallest subgroups."] if nothing is None else [
            nothing, f"{_further(result)}, or choose by another metric (--rule).",
        ]  # fmt: skip
    return lines


def with_group(result: FixResult) -> CandidateResult | None:
    """Return the best correction that beats the deployed model by the rule, if only its need of the group rules it out.

    None if there is none, or another model is chosen.
    """
    own = result.candidates[0]
    better = [each for each in result.candidates if each.needs_group and not each.breaks_rule and each.rank < own.rank]
    return min(better, key=lambda each: each.rank, default=None) if result.chosen == own.name else None


def _further(result: FixResult) -> str:
    """Return how a search that found nothing can go further."""
    searched = result.searched
    if searched.ended == "tables":
        return "Bring the model and its images (fix MODEL --data ...), so that last layers and students can be tried"
    if searched.within_chance and not searched.students and searched.ended == "budget":
        return "Search for longer and train students all the same (--budget, --anyway)"
    if searched.ended != "complete":
        return "Search for longer (--budget)"
    if searched.students:
        return "Train the students for longer (--epochs, with another --out)"
    return (
        "Train students all the same (--anyway)" if searched.within_chance else "Let students be trained (--students)"
    )


def settled_by(settling: Settling, metric: str) -> str:
    """Return how many images, and of which subgroups, would settle a verdict, given what the rule chooses by."""
    what, where = ("gap", "") if settling.of == "gap" else ("gain", f" in {metric}")
    lacking = settling.lacking
    sentence = (
        f"{settling.rows:,} {settling.where} images of every subgroup would show a {what} of {percent(settling.size)} "
        f"points{where} in 80% of cases"
    )
    if not lacking:
        return f"{sentence}; every subgroup has that many already, so the {what} is probably smaller."
    each = [f"{one.class_name} in group {one.group} ({one.rows:,} now)" for one in lacking]
    fewer = "1 subgroup has" if len(lacking) == 1 else f"{len(lacking)} subgroups have"
    return (
        f"{sentence}. {fewer} fewer; about {settling.more:,} more are needed: {listed(each, _NAMED, separator='; ')}."
    )


def nothing_to_settle(gain: Gain | None, metric: str) -> str | None:
    """Return that no test set is worth collecting for a gain so small; None if it is not small but a loss, or unknown.

    Args:
        gain: of the chosen candidate.
        metric: what the rule chooses by, as texts name it.
    """
    if gain is None or gain.to_show is not None or not gain.found.low <= 0 <= gain.found.high:
        return None
    seen, most = gain.found.value, percent(gain.found.high)
    what = "gain" if seen >= 0 else "loss"
    sentence = f"There is nothing to settle: the test set shows a {what} of {percent(abs(seen))} points in {metric}"
    if 0 <= seen < gain.negligible:
        sentence += (
            f", which is too small to matter (the default rule counts {percent(gain.negligible)} points as none)"
        )
    if gain.promised > gain.found.high:
        sentence += f", and excludes the {percent(gain.promised)} that the validation set promised: at most {most}"
    elif gain.promised >= 0:
        sentence += f"; the validation set promised no more than {percent(gain.promised)}"
    return f"{sentence}."


def searched_in_words(result: FixResult) -> str:
    """Return what was tried and why the search ended."""
    found = result.searched
    if found.ended == "fair":
        return "Nothing was tried."
    tried = [
        counted(number, what) for number, what in ((found.heads, "last layer"), (found.students, "student")) if number
    ]
    if found.ended == "tables":
        return (
            f"Corrections of the predictions were tried, nothing else, since only tables were given. "
            f"{len(result.points):,} models were compared on the validation set."
        )
    ended = {
        "complete": "everything planned was tried", "budget": "the budget was spent", "interrupted": "you stopped it",
    }[found.ended]  # fmt: skip
    if found.ended == "budget" and found.heads and not found.students:
        ended = "the part of the budget that last layers may take was spent"
    first = (
        "" if found.first_seconds is None else f"; the first recommendation took {format_seconds(found.first_seconds)}"
    )
    return (
        f"{' and '.join(tried) or 'No model'} in {format_seconds(found.seconds)}, until {ended}{first}. "
        f"{len(result.points):,} models were compared on the validation set."
    )


def shown_name(candidate: CandidateResult | Point) -> str:
    """Return a candidate's name in tables."""
    return "your model" if candidate.family == "deployed" else candidate.name


def shown_candidates(result: FixResult) -> list[tuple[CandidateResult, str]]:
    """Return the deployed model, the best candidate of each family and those that are named, and a mark for each."""
    best: dict[str, CandidateResult] = {}
    for each in sorted(result.candidates, key=lambda each: each.rank):
        best.setdefault(each.family, each)
    named = {result.chosen, result.promising, *(each.name for each in best.values())}
    marks = []
    for each in result.candidates:
        if each.name not in named:
            continue
        mark = []
        if each.name == result.chosen and not each.breaks_rule:  # your model stays where none meets the rule
            mark.append("kept" if each.family == "deployed" else "chosen")
        elif each.name == result.promising:
            mark.append("nearest")
        if each.breaks_rule:
            mark.append("breaks the rule")
        if each.needs_group:
            mark.append("needs the group")
        marks.append((each, ", ".join(mark)))
    return marks
