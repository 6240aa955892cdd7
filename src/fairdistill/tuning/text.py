"""The result of a search as text for a terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fairdistill.choosing import parse_rule, title
from fairdistill.metrics import METRICS, SCORES
from fairdistill.text.numbers import percent, percentage
from fairdistill.text.tables import aligned, markdown
from fairdistill.tuning.result import State, TeacherOnValidation, Trial, TuneResult
from fairdistill.tuning.values import Values, values_of

_STATES: Mapping[State, str] = {
    "finished": "finished", "stopped early": "stopped early", "failed": "failed", "in hand": "running",
}  # fmt: skip


def render(result: TuneResult) -> str:
    """Return the trials, which one was chosen and why, and its values on the validation and test sets side by side."""
    state = 1 + len(result.search) + len(_shown(result))
    lines = aligned(_trials(result), left=(0, state, state + 1))
    ruler = "-" * max(map(len, lines))
    shown = [heading(result), "", lines[0], ruler, *lines[1:], ruler, "", *_sentences(result)]
    if result.chosen_trial is not None:
        shown += ["", *aligned(_sides(result, result.chosen_trial))]
    return "\n".join([*shown, "", _made_with(result)])


def markdown_page(result: TuneResult) -> str:
    """Return the same as Markdown."""
    parts = [f"# {heading(result)}", markdown(_trials(result)), *_sentences(result)]
    if result.chosen_trial is not None:
        parts.append(markdown(_sides(result, result.chosen_trial)))
    return "\n\n".join([*parts, _made_with(result)])


def heading(result: TuneResult) -> str:
    """Return a heading: the hyperparameters searched, the data, and the number of validation samples."""
    searched = "; ".join(f"{name} {dimension}" for name, dimension in result.search.items())
    return (
        f"{result.method} on {result.data}: {searched}; {result.validation_rows:,} validation samples, seed "
        f"{result.seed}"
    )


def _trials(result: TuneResult) -> list[tuple[str, ...]]:
    shown = _shown(result)
    rows: list[tuple[str, ...]] = [("Trial", *result.search, *shown.values(), "State", "")]
    for trial in result.trials:
        settings = (f"{trial.settings[name]:.4g}" if name in trial.settings else "" for name in result.search)
        marks = [
            word for word, numbers in (("front", result.front), ("chosen", (result.chosen,))) if trial.number in numbers
        ]
        rows.append((str(trial.number), *settings, *_metrics(trial, shown), _state(trial), ", ".join(marks)))
    if result.teacher is not None:
        rows.append(("teacher", *[""] * len(result.search), *_metrics(result.teacher, shown), "", ""))
    return rows


def _state(trial: Trial) -> str:
    if trial.state != "stopped early":
        return _STATES[trial.state]
    return f"stopped early at step {trial.steps:,}, beaten by trial {trial.beaten_by}"


def _shown(result: TuneResult) -> Mapping[str, str]:
    """Return the names of the metrics in tables: those of every table, and any other of the rule or the front."""
    of_rule = parse_rule(result.rule).metrics
    named = {*METRICS, *result.objectives, *of_rule}
    usual = {metric: name for metric, name in SCORES.items() if metric in named}
    return {**usual, **{metric: title(metric) for metric in of_rule if metric not in usual}}


def _metrics(scored: Trial | TeacherOnValidation, shown: Iterable[str]) -> list[str]:
    if scored.validation is None:
        return [""] * len([*shown])
    values = values_of(scored.validation, scored.measures)
    return [percent(values[name], 2) if name in values or name in SCORES else "" for name in shown]


def _sentences(result: TuneResult) -> list[str]:
    over = " and ".join(SCORES[name] for name in result.objectives)
    lines = [f'Values are percentages on the validation set; "front" marks the Pareto front of {over}.']
    if result.chosen is None:
        lines.append(f"No trial has been chosen yet. The rule: {result.rule_in_words}.")
    else:
        so_far = " so far" if any(trial.state == "in hand" for trial in result.trials) else ""
        lines.append(f"Chosen{so_far}: trial {result.chosen}, {result.rule_in_words}. Run folder: {result.run}")
    if result.closed is not None:
        lines.append(f"The test set was read once, for this trial ({result.closed.when}). The study is now closed.")
    return [*lines, *(f"{note}." for note in result.notes)]


def _sides(result: TuneResult, chosen: Trial) -> list[tuple[str, ...]]:
    """Return the values of the chosen trial and of the teacher, on the validation and test sets side by side."""
    test, teacher = result.test, result.teacher
    assert chosen.validation is not None, "it finished"
    columns: list[tuple[str, int | None, Values | None]] = [
        ("validation", result.validation_rows, values_of(chosen.validation, chosen.measures)),
        ("test", *((None, None) if test is None else (test.rows, values_of(test, test.measures)))),
    ]
    if teacher is not None:
        columns.append(("teacher, validation", result.validation_rows, values_of(teacher.validation, teacher.measures)))
        of_teacher = None if test is None or test.teacher is None else values_of(test.teacher, {})
        columns.append(("teacher, test", None if test is None else test.rows, of_teacher))
    header = ("", *(f"{name} (n = {rows:,})" if rows is not None else f"{name}" for name, rows, _ in columns))
    return [
        header,
        *((name, *(_value(values, metric) for _, _, values in columns)) for metric, name in _shown(result).items()),
    ]


def _value(values: Values | None, metric: str) -> str:
    if values is None:
        return "not read"
    return percentage(values[metric], 2) if metric in values or metric in SCORES else "not measured"


def _made_with(result: TuneResult) -> str:
    made = result.made_with
    versions = ", ".join(f"{name} {made.packages[name]}" for name in ("torch", "optuna"))
    return (
        f"fairdistill {made.fairdistill}, {versions}, {made.processor}, {made.device}; {result.steps:,} steps per "
        f"trial, {result.sampler}, seed {result.seed}."
    )
