"""Finished runs side by side; reads run folders and nothing else."""

from __future__ import annotations

import csv
import io
import json
import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from fairdistill import paper
from fairdistill.contract import check_types
from fairdistill.errors import UsageError
from fairdistill.metrics.names import METRICS
from fairdistill.runs import RunFolder, finite_or_null
from fairdistill.text.tables import aligned, latex, markdown

Format = Literal["text", "md", "csv", "latex", "json"]

# Options that do not make two runs different recipes: seeds, places and machines, and what is said in other words.
_NO_RECIPE = (
    "data", "data_root", "data_options", "teacher", "seed", "split_seed", "epochs", "steps", "out", "device", "compile",
    "threads", "cache_memory", "cache_dir", "teacher_cache",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """How the table is written."""

    format: Format = "text"
    """text, md, csv, latex or json. Percent in text, md and latex; fractions in csv and json."""

    def __post_init__(self) -> None:
        check_types(self)


@dataclass(frozen=True)
class Row:
    """One recipe: the runs that differ in their seeds alone.

    Attributes:
        method: the method's canonical name.
        differs: settings in which it differs from other rows of the same method, by name.
        seeds: the run seeds, in order.
        values: per metric, one fraction a run; NaN where undefined.
        steps: optimizer steps of each run.
        samples: images seen in each run.
        collapsed: seeds whose model predicts a single class.
        paths: the run folders.
    """

    method: str
    differs: Mapping[str, Any]
    seeds: tuple[int, ...]
    values: Mapping[str, tuple[float, ...]]
    steps: int
    samples: int
    collapsed: tuple[int, ...]
    paths: tuple[str, ...]

    @property
    def label(self) -> str:
        """The method, and what tells it from its namesakes."""
        extra = ", ".join(f"{name}={value}" for name, value in self.differs.items())
        return f"{self.method} ({extra})" if extra else self.method

    def mean(self, metric: str) -> float:
        """Return the mean over the seeds, a fraction; NaN if any run's value is undefined."""
        return statistics.fmean(self.values[metric])

    def sd(self, metric: str) -> float:
        """Return the standard deviation over the seeds (ddof 1); NaN for a single one."""
        values = self.values[metric]
        if len(values) < 2 or any(math.isnan(value) for value in values):
            return math.nan
        return statistics.stdev(values)


@dataclass(frozen=True)
class Comparison:
    """Rows measured on one test set.

    Attributes:
        data: the data set and its options.
        protocol: the protocol, or both names if the rows' differ.
        rows: one a recipe, in the order of the paper's tables; other sums follow as they were given.
        made_with: versions and hardware of the runs, each combination once.
    """

    data: str
    protocol: str
    rows: tuple[Row, ...]
    made_with: tuple[str, ...]


def compare(paths: Sequence[str | Path]) -> Comparison:
    """Read finished runs and gather those that differ in their seeds alone.

    Raises:
        RunFolderError: if a folder holds no finished run.
        UsageError: if the runs were tested on different data, or one is given twice.
    """
    recipes: dict[str, list[tuple[RunFolder, dict[str, Any], dict[str, Any]]]] = {}
    seen: dict[Path, None] = {}
    tested: dict[str, tuple[str, str]] = {}
    for path in paths:
        run = RunFolder.open(path)
        if run.path.resolve() in seen:
            raise UsageError(f"{path} is given twice")
        seen[run.path.resolve()] = None
        config, result = run.config, run.result
        options = {"data": config["data"], **_identity(config)}
        same_rows = result.get("digests", {}).get("test") or json.dumps(options, sort_keys=True)
        tested.setdefault(same_rows, (str(path), _described(options)))
        recipe = {name: value for name, value in config.items() if name not in _NO_RECIPE}
        recipe |= {"data_options": _identity(config), "steps": result["budget"]["steps"], "teacher": _taught_by(result)}
        recipes.setdefault(json.dumps(recipe, sort_keys=True), []).append((run, config, result))
    if len(tested) > 1:
        (one, first), (other, second) = list(tested.values())[:2]
        apart = f"{one} is on {first}, {other} on {second}"
        if first == second:
            apart = f"{one} and {other} are both on {first}, but the rows or their classes and groups differ"
        raise UsageError(f"cannot compare runs on different data: {apart}")
    _refuse_repeats(recipes)
    rows = [_row(recipe, runs, recipes) for recipe, runs in recipes.items()]
    rows.sort(key=lambda row: paper.ROWS.index(row.method) if row.method in paper.ROWS else len(paper.ROWS))
    every = [item for runs in recipes.values() for item in runs]
    return Comparison(
        data=next((described for _, described in tested.values()), ""),
        protocol=" and ".join(dict.fromkeys(config["protocol"] for _, config, _ in every)),
        rows=tuple(rows),
        made_with=tuple(dict.fromkeys(_made_with(run.environment) for run, _, _ in every)),
    )


def _identity(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a run's data set that say what data it is, but for its seed."""
    left_out = ("data_seed", "download", "cache", "image_cache", "workers")
    return {name: value for name, value in config["data_options"].items() if name not in left_out}


# What the caption leaves out of a data set's options: how its images are prepared, and how its table is written.
_NOT_SAID = ("image", "encoding", "size", "crop", "stored_size", "flip", "mean", "std", "test_share")


def _taught_by(result: Mapping[str, Any]) -> str:
    """Return what taught a run: a run's method, protocol and steps, or the hash of a file's weights; or nothing."""
    taught = result.get("teacher")
    if not taught:
        return ""
    if taught.get("method") is None:
        return f"file {(result.get('digests', {}).get('teacher') or '')[:8]}"
    return ", ".join(str(taught[name]) for name in ("method", "protocol", "steps"))


def _described(options: Mapping[str, Any]) -> str:
    """Return a data set and its options in words; options that are off are left out."""
    name = str(options["data"])
    shown = [Path(name).name if "/" in name else name]
    for option, value in options.items():
        if option in ("data", *_NOT_SAID) or value in (None, False, {}):
            continue
        said = ", ".join(f"{key}={item}" for key, item in value.items()) if isinstance(value, Mapping) else str(value)
        shown.append(f"{option.replace('_', ' ')} {said}")
    return ", ".join(shown)


def render(comparison: Comparison, options: CompareOptions) -> str:
    """Return the table as text in the chosen format."""
    writers: Mapping[str, Callable[[Comparison], str]] = {
        "text": _text, "md": _markdown, "csv": _csv, "latex": _latex, "json": _json,
    }  # fmt: skip
    return writers[options.format](comparison)


def _row(recipe: str, runs: Sequence[tuple[RunFolder, dict[str, Any], dict[str, Any]]], recipes: Iterable[str]) -> Row:
    runs = sorted(runs, key=lambda item: item[1]["seed"])
    own = _flat(json.loads(recipe))
    others = [_flat(other) for other in map(json.loads, recipes)]
    namesakes = [other for other in others if other["method"] == own["method"]]
    differs = {name: value for name, value in own.items() if any(other.get(name) != value for other in namesakes)}
    if any(other["protocol"] != own["protocol"] for other in others):
        differs = {"protocol": own["protocol"], **differs}
    seeds = tuple(config["seed"] for _, config, _ in runs)
    results = [result for _, _, result in runs]
    return Row(
        method=own["method"],
        differs=differs,
        seeds=seeds,
        values={
            metric: tuple(math.nan if result[metric] is None else result[metric] for result in results)
            for metric in METRICS
        },
        steps=results[0]["budget"]["steps"],
        samples=results[0]["budget"]["samples"],
        collapsed=tuple(seed for seed, result in zip(seeds, results, strict=True) if result["collapsed"]),
        paths=tuple(str(run.path) for run, _, _ in runs),
    )


def _refuse_repeats(recipes: Mapping[str, Sequence[tuple[RunFolder, dict[str, Any], dict[str, Any]]]]) -> None:
    """Refuse two runs of one recipe and the same seeds: counting both would shrink the spread."""
    for runs in recipes.values():
        first: dict[tuple[Any, ...], RunFolder] = {}
        for run, config, _ in runs:
            seeds = (config["seed"], config["data_options"].get("data_seed"), config.get("split_seed"))
            other = first.setdefault(seeds, run)
            if other is not run:
                raise UsageError(f"{other.path} and {run.path} are one recipe with the same seeds; give one of them")


def _flat(recipe: Mapping[str, Any]) -> dict[str, Any]:
    inner = ("set", "data_options")
    return {**{k: v for k, v in recipe.items() if k not in inner}, **recipe["data_options"], **recipe["set"]}


def _made_with(environment: Mapping[str, Any]) -> str:
    commit = environment["commit"]
    version = environment["fairdistill"] + (f" ({commit[:9]}{'+' if commit.endswith('+') else ''})" if commit else "")
    return (
        f"fairdistill {version}, torch {environment['packages']['torch']}, {environment['processor']}, "
        f"{environment['device']}"
    )


_HEADER = ("Method", "n", *METRICS.values(), "Steps", "Images seen")


def _cells(comparison: Comparison, plus_minus: str) -> list[tuple[str, ...]]:
    rows = []
    for row in comparison.rows:
        mark = f" [one class only: seed {', '.join(map(str, row.collapsed))}]" if row.collapsed else ""
        metrics = [_percent(row.mean(metric), row.sd(metric), plus_minus) for metric in METRICS]
        rows.append((row.label + mark, str(len(row.seeds)), *metrics, f"{row.steps:,}", f"{row.samples:,}"))
    return rows


def _percent(mean: float, sd: float, plus_minus: str) -> str:
    if math.isnan(mean):
        return "undefined"
    return f"{100 * mean:.2f}" + ("" if math.isnan(sd) else f" {plus_minus} {100 * sd:.2f}")


def _caption(comparison: Comparison) -> str:
    seeds = sorted({seed for row in comparison.rows for seed in row.seeds})
    many = any(len(row.seeds) > 1 for row in comparison.rows)
    spread = "mean ± sd over n seeds (ddof 1)" if many else "one seed each: no spread is known"
    return (
        f"{comparison.data}; {comparison.protocol} protocol; test set, percent, {spread}; "
        f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}. {'; '.join(comparison.made_with)}."
    )


def _text(comparison: Comparison) -> str:
    lines = aligned([_HEADER, *_cells(comparison, "±")])
    rule = "-" * max(map(len, lines))
    return "\n".join([lines[0], rule, *lines[1:], rule, _caption(comparison)])


def _markdown(comparison: Comparison) -> str:
    return f"{markdown([_HEADER, *_cells(comparison, '±')])}\n\n{_caption(comparison)}"


def _latex(comparison: Comparison) -> str:
    return latex([_HEADER, *_cells(comparison, "±")], _caption(comparison))


def _records(comparison: Comparison) -> list[dict[str, Any]]:
    return [
        {
            "method": row.label,
            "n": len(row.seeds),
            **{f"{m}_{kind}": getattr(row, kind)(m) for m in METRICS for kind in ("mean", "sd")},
            "steps": row.steps,
            "samples": row.samples,
            "collapsed_seeds": list(row.collapsed),
            "seeds": list(row.seeds),
            "runs": list(row.paths),
        }
        for row in comparison.rows
    ]


def _csv(comparison: Comparison) -> str:
    text = io.StringIO()
    records = _records(comparison)
    writer = csv.DictWriter(text, list(records[0]), lineterminator="\n")
    writer.writeheader()
    for record in records:
        writer.writerow(
            {
                name: " ".join(map(str, value)) if isinstance(value, list) else finite_or_null(value)
                for name, value in record.items()
            }
        )
    return text.getvalue().rstrip("\n")


def _json(comparison: Comparison) -> str:
    content = {
        "data": comparison.data,
        "protocol": comparison.protocol,
        "made_with": list(comparison.made_with),
        "rows": [
            {**record, "values": {metric: list(values) for metric, values in row.values.items()}}
            for record, row in zip(_records(comparison), comparison.rows, strict=True)
        ],
    }
    return json.dumps(finite_or_null(content), indent=1, ensure_ascii=False, allow_nan=False)
