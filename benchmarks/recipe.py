"""Which parts of a training recipe let the paper's network learn CIFAR-10S in few steps: each alone, all, all but one.

    python -m benchmarks.recipe --data-root DIR --out FOLDER --minutes M --workers W [--steps 6660] [--seeds 0-1]
        [--method mfd] [--teacher RUN] [--lr 0.003] [--only baseline,all]

Needs this repository and the official CIFAR-10 files in DIR; a GPU that several runs share (start NVIDIA's
multi-process service first: `nvidia-cuda-mps-control -d`). All runs are honest and get the same number of optimizer
steps; the teacher is one `scratch` run without any part, shared by all. The benchmark stops when the time is up, with
everything saved, and goes on when it is called again with the same FOLDER. `FOLDER/rows.json` and `FOLDER/table.md`
are written after every run. The recipe is the set of parts with the best balanced accuracy on the validation set, the
mean over its subgroups; the test set is printed beside it and decides nothing.
To try it without a GPU: --data digits-s --steps 20 --short 10 --workers 1 --minutes 5 --seeds 0 --only baseline,all.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.timing import hardware
from fairdistill import methods
from fairdistill.benching.jobs import Grid, Job
from fairdistill.benching.local import run_local
from fairdistill.benching.states import standing
from fairdistill.runs import RunFolder, write_json
from fairdistill.text.tables import markdown
from fairdistill.training import TrainOptions

Settings = Mapping[str, Any]

PARTS: Mapping[str, Settings] = {
    "schedule": {"schedule": "onecycle", "lr": 3e-3},
    "muon": {"optimizer": "muon", "weight_decay": 0.01},
    "dirac": {"scratch_weights": "dirac"},
    "whitening": {"whitening": "frozen"},
    "crop": {"crop_padding": 2},
    "flip": {"alternating_flip": True},
    "smoothing": {"label_smoothing": 0.1},
    "ema": {"ema": 0.995},
}
"""The parts that make up `all`."""

RATE = 3e-3
"""The highest learning rate of `all` at batches of 128, if no other is given."""


def changes(rate: float) -> Mapping[str, Settings]:
    """Return changes of `all` that might be better."""
    return {
        "lr x 2": {"lr": 2 * rate},
        "lr / 2": {"lr": rate / 2},
        "lr / 4": {"lr": rate / 4},
        "batch 512": {"batch_size": 512, "lr": 2 * rate},
        "dropout 0.1": {"dropout": 0.1},
        "adamw": {"optimizer": "adamw", "weight_decay": 0.05},
        "nesterov": {"optimizer": "nesterov", "lr": 10 * rate, "weight_decay": 5e-4},
        "crop 4": {"crop_padding": 4},
        "cutout 8": {"cutout": 8},
        "smoothing 0.2": {"label_smoothing": 0.2},
        "linear": {"schedule": "linear", "lr_warmup": 0.2},
        "cosine": {"schedule": "cosine", "lr_warmup": 0.1},
        "trained whitening": {"whitening": "trained"},
        "he": {"scratch_weights": "he"},
        "decay 0.1": {"weight_decay": 0.1},
        "batch 256": {"batch_size": 256, "lr": 2**0.5 * rate},
    }


ALONE: Mapping[str, Settings] = {
    **PARTS,
    "cosine": {"schedule": "cosine", "lr_warmup": 0.1, "lr": 2e-3},
    "batch 512": {"batch_size": 512, "lr": 2e-3},
    "adamw": {"optimizer": "adamw", "weight_decay": 0.05},
    "nesterov": {"optimizer": "nesterov", "lr": 0.02, "weight_decay": 5e-4},
    "he": {"scratch_weights": "he"},
    "cutout 8": {"cutout": 8},
    "dropout 0.1": {"dropout": 0.1},
}


def together(rate: float, *, without: str | None = None) -> dict[str, Any]:
    """Return the settings of all parts but one, at this highest learning rate."""
    found: dict[str, Any] = {}
    for name, settings in PARTS.items():
        found |= settings if name != without else {}
    return {**found, "lr": rate if without != "schedule" else rate / 3}


def name_of_all(rate: float) -> str:
    """Return what all parts together are called: their learning rate is part of it unless it is the default."""
    return "all" if rate == RATE else f"all at {rate:g}"


@dataclass(frozen=True)
class Variant:
    """A run of the benchmark, but for its seed.

    Attributes:
        name: the parts, in words.
        method: how the student is trained.
        steps: optimizer steps.
        settings: options of ``train``.
        teacher: what taught it: the shared ``baseline``, or ``all``, a `scratch` run with all parts.
    """

    name: str
    method: str
    steps: int
    settings: Settings
    teacher: str = "baseline"


def variants(method: str, steps: int, *, short: int, rate: float = RATE) -> Iterator[Variant]:
    """Yield the runs, the most informative first.

    Args:
        method: of most of them.
        steps: optimizer steps.
        short: those of the short budget.
        rate: the highest learning rate of `all`; one other than the default is part of the names.
    """
    whole, everything = name_of_all(rate), together(rate)
    both: Mapping[str, Settings] = {"baseline": {}, whole: everything}
    others = [each for each in ("scratch", "ss", "di") if each != method]
    for other in others:
        for name, settings in both.items():
            yield Variant(name, other, steps, settings)
    for name, settings in both.items():
        yield Variant(name, method, steps, settings)
    yield Variant(f"{whole} taught by all", method, steps, everything, teacher="all")
    for part in PARTS:
        yield Variant(f"{whole} but {part}", method, steps, together(rate, without=part))
    for name, settings in changes(rate).items():
        yield Variant(f"{whole} with {name}", method, steps, {**everything, **settings})
    for each in dict.fromkeys((method, "ss")):
        for name, settings in both.items():
            yield Variant(name, each, short, settings)
    for name, settings in ALONE.items():
        yield Variant(f"{name} alone", method, steps, settings)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="cifar10s")
    parser.add_argument("--data-root", default=os.environ.get("FAIRDISTILL_DATA"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True, help="stop after this time, with everything saved")
    parser.add_argument("--workers", type=int, default=16, help="runs that share the GPU")
    parser.add_argument("--steps", type=int, default=6660)
    parser.add_argument("--short", type=int, default=1408, help="steps of the short budget")
    parser.add_argument("--seeds", default="0-1")
    parser.add_argument("--method", default="mfd")
    parser.add_argument("--teacher", type=Path, help="a run folder; default: a scratch run of --teacher-steps")
    parser.add_argument("--teacher-steps", type=int, help="default: --steps")
    parser.add_argument("--lr", type=float, default=RATE, help="highest learning rate of all parts together")
    parser.add_argument("--only", help="variants, separated by commas: NAME or METHOD NAME; default: all")
    given = parser.parse_args()
    deadline = time.monotonic() + 60 * given.minutes
    jobs, named = _jobs(given)
    given.out.mkdir(parents=True, exist_ok=True)
    machine = hardware()

    def report(job: Job, state: str) -> None:
        print(f"{job.path.name}: {state}  {standing(job).detail}".rstrip(), file=sys.stderr, flush=True)
        if state == "done":
            write()

    def write() -> None:
        rows = [_row(job, named[job.id]) for job in jobs if standing(job).state == "done"]
        write_json(given.out / "rows.json", {"hardware": machine, "workers": given.workers, "rows": rows})
        caption = f"{given.data}, honest protocol; percent, means over n seeds; val: validation set. {machine}."
        (given.out / "table.md").write_text(f"{caption}\n\n{_table(rows)}\n", encoding="utf-8")

    whole = run_local(
        Grid(given.out, tuple(jobs)), workers=given.workers, report=report, seconds=deadline - time.monotonic()
    )
    write()
    print((given.out / "table.md").read_text(encoding="utf-8"))
    return 0 if whole else 1


def _jobs(given: argparse.Namespace) -> tuple[list[Job], dict[str, Variant]]:
    """Return the jobs in order, teachers first, and the variant of each by its id."""
    out = given.out.absolute()
    common = {
        "data": given.data, "cache_dir": str(out / ".teacher-cache"),
        "data_root": None if given.data_root is None else str(Path(given.data_root).absolute()),
    }  # fmt: skip
    first, _, last = given.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    wanted = None if given.only is None else {name.strip() for name in given.only.split(",")}
    jobs: list[Job] = []
    named: dict[str, Variant] = {}

    def add(variant: Variant, seed: int, teacher: Path | None, teacher_id: str | None) -> Job:
        settings = json.dumps([variant.settings, variant.teacher, common["data"]], sort_keys=True)
        digest = hashlib.blake2b(settings.encode(), digest_size=3).hexdigest()  # a changed variant is a new run
        name = variant.name.replace(" ", "_").replace("/", "by")
        id_ = f"{variant.method}-{name}-{variant.steps}-seed{seed}-{digest}"
        if id_ not in named:
            options = TrainOptions(
                **common, method=variant.method, seed=seed, steps=variant.steps, out=str(out / id_),
                teacher=None if teacher is None else str(teacher), **variant.settings,
            )  # fmt: skip
            jobs.append(Job(id_, variant.method, seed, options, teacher_id))
            named[id_] = variant
        return next(job for job in jobs if job.id == id_)

    taught: dict[str, tuple[Path, str | None]] = {}
    if given.teacher is None:
        steps = given.teacher_steps or given.steps
        job = add(Variant("baseline", "scratch", steps, {}), 0, None, None)
        taught["baseline"] = (job.path, job.id)
    else:
        taught["baseline"] = (given.teacher.absolute(), None)
    for seed in seeds:
        for variant in variants(given.method, given.steps, short=given.short, rate=given.lr):
            if wanted is not None and not wanted & {variant.name, f"{variant.method} {variant.name}"}:
                continue
            teacher: tuple[Path | None, str | None] = (None, None)
            if methods.parse(variant.method, data=given.data).teacher_taps:
                if variant.teacher == "all" and "all" not in taught:
                    job = add(Variant(name_of_all(given.lr), "scratch", given.steps, together(given.lr)), 0, None, None)
                    taught["all"] = (job.path, job.id)
                teacher = taught[variant.teacher]
            add(variant, seed, *teacher)
    return jobs, named


def _row(job: Job, variant: Variant) -> dict[str, Any]:
    run = RunFolder.open(job.path)
    result, log = run.result, run.read_log()
    kept = next(each["evaluation"] for each in log if each["step"] == result["checkpoint_step"])
    shown = ("accuracy", "balanced_accuracy", "deo_a", "deo_m")
    return {
        "variant": variant.name,
        "method": variant.method,
        "seed": job.seed,
        "steps": variant.steps,
        "batch_size": result["budget"]["samples"] // result["budget"]["steps"],
        "settings": dict(variant.settings),
        "taught_by": variant.teacher if result["teacher"] else None,
        "validation": {name: kept[name] for name in shown},
        "test": {name: result[name] for name in shown},
        "teacher_test": {name: result["teacher"][name] for name in shown} if result["teacher"] else None,
        "training_loss": log[-1]["loss"],
        "checkpoint_step": result["checkpoint_step"],
        "collapsed": result["collapsed"],
        "seconds": result["seconds"],
        "samples_per_second": result["samples_per_second"],
    }


def _table(rows: list[dict[str, Any]]) -> str:
    """Return one line for each variant, means over seeds in percent, the best on validation first."""
    found: dict[tuple[str, str, int], list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault((row["method"], row["variant"], row["steps"]), []).append(row)
    head = (
        "Parts", "Method", "Steps", "n", "Batch", "val bal. acc.", "val acc.", "val DEO_A", "acc.", "DEO_A", "DEO_M",
        "images/s",
    )  # fmt: skip
    lines = []
    for (method, variant, steps), runs in found.items():

        def mean(split: str, name: str, runs: list[dict[str, Any]] = runs) -> str:
            values = [run[split][name] for run in runs]
            return "n/a" if None in values else f"{100 * statistics.mean(values):.2f}"

        validation = [mean("validation", name) for name in ("balanced_accuracy", "accuracy", "deo_a")]
        test = [mean("test", name) for name in ("accuracy", "deo_a", "deo_m")]
        speed = f"{statistics.mean(run['samples_per_second'] for run in runs):,.0f}"
        batch = str(runs[0]["batch_size"])
        lines.append((variant, method, f"{steps:,}", str(len(runs)), batch, *validation, *test, speed))
    lines.sort(key=lambda line: (line[1], line[2], -float(line[5]) if line[5] != "n/a" else 0.0))
    return markdown([head, *lines])


if __name__ == "__main__":
    sys.exit(main())
