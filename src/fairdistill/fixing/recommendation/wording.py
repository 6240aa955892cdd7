"""The sentences of a recommendation, which its text, its page and its card share."""

from __future__ import annotations

from fairdistill.auditing import AuditResult
from fairdistill.fixing.recommendation.evidence import better_and_not_worse, confirmed
from fairdistill.fixing.result import FixResult
from fairdistill.fixing.verdict.treatment import Treated, Treatment
from fairdistill.fixing.verdict.verdict import SETS, is_real
from fairdistill.text.numbers import interval, p_value, percent, signed


def headline(result: FixResult) -> str:
    """Return the verdict in a sentence, without a full stop."""
    if result.verdict == "fair":
        return "Your model is fair enough; keep it"
    if result.verdict == "unproven":
        return "Your model treats groups unequally, and nothing better was proven"
    if result.verdict == "undecided":
        return "Cannot tell yet whether your model treats groups unequally"
    what = f"Use {result.model} instead of your model" if result.model else f"Use {result.description}"
    cells = () if result.kept is None else result.kept.cells
    harmed = sorted((cell for cell in cells if cell.harmed), key=lambda cell: cell.value)
    if not harmed:
        return what
    most = f"{harmed[0].class_name} in group {harmed[0].group} ({signed(harmed[0].value)} points)"
    if len(harmed) == 1:
        return f"{what}, but 1 of {len(cells)} subgroups got significantly worse: {most}"
    return f"{what}, but {len(harmed)} of {len(cells)} subgroups got significantly worse, most of all {most}"


def paragraphs(result: FixResult) -> list[str]:
    """Return who is treated worst, and why the verdict is what it is."""
    reasons = {
        "use": _use, "fair": _fair, "undecided": _undecided,
        "unproven": _not_confirmed if result.reason == "not confirmed" else _none_better,
    }  # fmt: skip
    who = [] if result.treatment is None else [treated_worst(result, result.treatment)]
    return [*who, reasons[result.verdict](result)]


def treated_worst(result: FixResult, found: Treatment) -> str:
    """Return who is treated worst, in counts of 100."""
    worst, best = found.worst, found.best
    sentence = (
        f"Of 100 test images labelled {found.class_name} in group {worst.group}, your model gets {_of(worst)} right; "
        f"in group {best.group}, {_of(best)}."
    )
    if result.verdict == "fair":
        sentence = f"Where the groups differ most, they differ little. {sentence}"
    elif result.verdict == "undecided":
        sentence = f"{sentence} This is where the groups differ most, and it may be chance."
    if worst.share_after is not None and best.share_after is not None:
        other = "The recommended model" if result.verdict == "use" else f"The candidate `{result.chosen}`"
        sentence += f" {other} gets {_hundred(worst.share_after)} and {_hundred(best.share_after)} right."
    few = [f"{each.group} ({each.rows:,})" for each in (worst, best) if each.few]
    if few:
        sentence += (
            f" There are few such images of {' and '.join(few)}; these numbers also use what similar subgroups show."
        )
    return sentence


def _of(treated: Treated) -> str:
    about = "about " if treated.few else ""
    return f"{about}{_hundred(treated.share)}"


def _hundred(share: float) -> str:
    return f"{100 * share:.0f}"


def _real(result: FixResult) -> str:
    """Return on which sets the gap is real."""
    shown = [
        f"{percent(audited.deo_a.value)}% on the {name} set (p {p_value(audited.deo_a.p_value)})"
        for name, audited in (("test", result.test_before), ("validation", result.validation))
        if is_real(audited, looks=SETS)
    ]
    limit = (1 - result.test_before.confidence) / SETS
    return (
        f"Your model's gap is more than chance: DEO_A is {' and '.join(shown)}. (Either set could have shown a "
        f"gap, so p must be at most {limit:.3g}.)"
    )


def _use(result: FixResult) -> str:
    assert result.test_after is not None
    before, after = result.test_before, result.test_after
    return (
        f"`{result.chosen}` is {result.description}. On the test set, DEO_A, the gap between groups averaged over the "
        f"classes, goes from {percent(before.deo_a.value)}% to {percent(after.deo_a.value)}%, and accuracy from "
        f"{percent(before.accuracy.value)}% to {percent(after.accuracy.value)}%. {confirmed(result)} {_left(after)}"
    )


def _left(after: AuditResult) -> str:
    """Return whether the recommended model still has a gap."""
    gap = after.deo_a
    if gap.low > 0:
        return (
            f"A gap remains: it is still more than chance (p {p_value(gap.p_value)}), between {percent(gap.low)} and "
            f"{percent(gap.high)} points."
        )
    return f"What remains of the gap is within chance, which alone would show {percent(gap.floor)}% for this model."


def _fair(result: FixResult) -> str:
    gap, limit = result.validation.deo_a, percent(result.fair_enough)
    return (
        f"With {100 * result.validation.confidence:g}% confidence, DEO_A is at most {percent(gap.at_most)}% on the "
        f"validation set, which is within the limit of {limit}% (--fair-enough). The test set does not contradict it: "
        f"{percent(result.test_before.deo_a.value)}% {interval(result.test_before.deo_a)}. Nothing was tried."
    )


def _not_confirmed(result: FixResult) -> str:
    worse = result.gain is not None and result.gain.found.high < 0
    says = "contradicts" if worse else "does not confirm"
    advice = "So do not replace your model on this evidence, and do not rely on it to treat groups equally."
    if better_and_not_worse(result):
        advice = (
            f"It is the better model in what is confirmed, and nothing is shown to be worse; so use it{_file(result)} "
            "if that matters to you. But do not rely on either model to treat groups equally."
        )
    return (
        f"{_real(result)} On the validation set, `{result.chosen}` ({result.description}) is the best of "
        f"{len(result.points):,} models by the rule, but the test set {says} that. {confirmed(result)} {advice}"
    )


def _file(result: FixResult) -> str:
    """Return the file of the chosen candidate in brackets; nothing if it is no file of its own."""
    return "" if result.model is None else f" ({result.model})"


def _none_better(result: FixResult) -> str:
    if result.reason == "not searched":
        return (
            f"{_real(result)} Nothing was tried, since the gap on the validation set is within the limit of "
            f"{percent(result.fair_enough)}% (--fair-enough); the test set contradicts this."
        )
    own = result.candidates[0]
    sentence = f"{_real(result)} {_none_of(result)}"
    if own.breaks_rule:
        sentence = f"{_real(result)} No model meets the rule, not even yours: {'; '.join(own.breaks_rule)}."
    near = None if result.promising is None else result.candidate(result.promising)
    if near is not None:
        breaks = f", but it breaks the rule: {'; '.join(near.breaks_rule)}" if near.breaks_rule else ""
        instead = f"{percent(near.deo_a)}% instead of {percent(own.deo_a)}%"
        if percent(near.deo_a) == percent(own.deo_a):
            instead = f"{percent(near.deo_a)}%, like your model's,"
        sentence += f" `{near.name}` ({near.description}) comes nearest: DEO_A {instead} on the validation set{breaks}."
    return f"{sentence} So do not rely on your model to treat groups equally."


def _none_of(result: FixResult) -> str:
    """Return that no model is better; without ``--group-at-use``, apart from those that need the group."""
    others = result.points[1:]
    need = set() if result.group_at_use else {each.name for each in result.candidates if each.needs_group}
    tried = sum(each.name not in need for each in others)
    if tried > 1:
        return f"By the rule, none of the {tried:,} models that were tried is better."
    if tried == 1:
        return "By the rule, the only model that was tried is not better."
    return "Only models that need each person's group were tried." if others else "No other model was tried."


def _undecided(result: FixResult) -> str:
    test, validation = result.test_before.deo_a, result.validation.deo_a
    sentence = (
        f"Averaged over the classes, the groups differ by {percent(test.value)} points on the test set and "
        f"{percent(validation.value)} on the validation set; a model without any gap would show {percent(test.floor)} "
        f"and {percent(validation.floor)} by chance. The true gap may be as large as {percent(test.high)} points."
    )
    if result.confirmed is False:
        sentence += f" Nor can the test set tell whether `{result.chosen}`, the best by the rule, is better."
    return sentence
