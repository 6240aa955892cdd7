"""From a deployed model and data to one recommendation.

The order is that of an honest experiment: the deployed model is audited on validation rows; students and corrections
are tried and compared there; one is chosen by a rule stated beforehand; then the test set is read, once, for it and for
the deployed model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairdistill._version import __version__
from fairdistill.auditing import AuditOptions, audit
from fairdistill.auditing.audit import described
from fairdistill.errors import UsageError
from fairdistill.fixing import workspace as folder
from fairdistill.fixing.candidates import Candidate, posthoc_candidates
from fairdistill.fixing.options import FixOptions
from fairdistill.fixing.text import recommendation
from fairdistill.fixing.work import Work
from fairdistill.metrics.paired import paired_test
from fairdistill.predictions import Predictions
from fairdistill.predictions.predictions import paired
from fairdistill.runs import write_json, write_text
from fairdistill.system.caller import caller_untouched
from fairdistill.system.processes import launched_together
from fairdistill.training import Interrupted
from fairdistill.tuning import Stopped

_AUDIT = AuditOptions()


def fix(deployed: str | None, options: FixOptions, data_options: Mapping[str, Any]) -> dict[str, Any]:
    """Look for a fairer model than the deployed one, and say what to do.

    Args:
        deployed: a run folder, a file of weights or an exported program; None to train a model first.
        options: see :class:`FixOptions`.
        data_options: the data set's own options.

    Returns:
        What ``fix.json`` holds.

    Raises:
        UsageError: for options or models that do not fit, a budget too short, or a rule that nothing keeps.
        DataError: for data that cannot be used, or validation or test rows that lack a cell.
        RunFolderError: if the folder holds something else.
        Stopped: after Ctrl-C; the same call goes on.
    """
    if launched_together() > 1:
        raise UsageError("fix runs in one process; start it without torchrun")
    with caller_untouched():
        try:
            return _fix(Work.begin(deployed, options, data_options))
        except Interrupted as stop:
            raise Stopped(f"in {options.out}", stop) from None


def _fix(work: Work) -> dict[str, Any]:
    options, before = work.options, work.before
    on_validation = audit(before, _AUDIT)
    keep = Candidate("keep", "your model as it is", before)
    gap = on_validation["metrics"]["deo_a"]
    candidates, notes, why = [keep], list(work.notes), None
    if gap["high"] <= options.fair_enough:
        why = "fair"
    elif gap["low"] == 0 and not options.anyway:
        why = "undecided"
    else:
        corrected, skipped = posthoc_candidates(before)
        trained, untried = work.try_students()
        candidates += [*corrected, *trained]
        notes += [*skipped, *untried]
    said: dict[str, Any] = {"promised": None, "dropped": None}
    chosen = keep
    if why is None:
        picked = _choose(candidates, options)
        if picked is keep:
            why = "best"
        else:
            change = _change(before, picked.validation)
            if _gains(change, options.parsed_rule.metric):
                chosen, said["promised"] = picked, change
            else:
                why = "no gain"
                said["dropped"] = {"name": picked.name, "said": picked.said, "change": change}
    said |= {
        "fairdistill": __version__,
        "deployed": work.source.path,
        "rule": str(options.parsed_rule),
        "metric": options.parsed_rule.metric,
        "chosen": chosen.name,
        "said": chosen.said,
        "why_kept": why,
        "breaks_rule": options.parsed_rule.missed(chosen.values, keep.values),
        "fair_enough": options.fair_enough,
        "needs_group": chosen.needs_group,
        "settings": chosen.settings,
        "use": chosen.use,
        "model": None if chosen.run is None else str(chosen.run.path / "model.safetensors"),
        "epochs": work.base.epochs,
        "candidates": [
            {
                "name": each.name,
                "said": each.said,
                "needs_group": each.needs_group,
                **each.values,
                "breaks_rule": options.parsed_rule.missed(each.values, keep.values),
            }
            for each in candidates
        ],
        "validation": on_validation,
        "notes": notes,
    }
    return _concluded(work, chosen, said)


def _choose(candidates: list[Candidate], options: FixOptions) -> Candidate:
    usable = [each for each in candidates if not each.collapsed and (options.group_at_use or not each.needs_group)]
    picked = options.parsed_rule.pick(
        {number: each.values for number, each in enumerate(usable)},
        usable[0].values,
        {number: each.name for number, each in enumerate(usable)},
    )
    return usable[picked]


def _gains(change: Mapping[str, Any], metric: str) -> bool:
    """Return whether a change is for the better, in the metric that is chosen by, beyond chance."""
    return bool(change[metric]["low"] > 0 if metric == "accuracy" else change[metric]["high"] < 0)


def _change(before: Predictions, after: Predictions) -> dict[str, Any]:
    """Return what a candidate changes, with intervals and by cell."""
    first, second = paired(before, after)
    found = paired_test(first.correct, second.correct, **second.sample, **_AUDIT.drawing)
    return described(found, second.class_names, second.group_names)


def _concluded(work: Work, chosen: Candidate, said: dict[str, Any]) -> dict[str, Any]:
    """Read the test set for the chosen candidate and the deployed model, and write everything."""
    folder.forget_conclusion(work.out)
    said["test_read_before"] = []
    if chosen.name != "keep":
        said["test_read_before"] = folder.read_test(work.out, chosen.name, said["rule"])
    before, after = work.on_test(chosen)
    change = None if after is None else _change(before, after)
    said |= {
        "test_before": audit(before, _AUDIT),
        "test_after": None if after is None else audit(after, _AUDIT),
        "kept": change,
        "confirmed": None if change is None else _gains(change, said["metric"]),
    }
    if chosen.run is not None:
        work.report(chosen.run)
    write_json(work.out / "fix.json", said)
    write_text(work.out / "recommendation.md", recommendation(said) + "\n")
    return said
