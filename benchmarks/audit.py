"""How long an audit takes and how much memory it needs, on one core.

    python -m benchmarks.audit [CASE ...]

Each case is a process of its own: the seconds of the audit until audit.json is written (of made-up predictions in
memory, or of the whole command for a table), in how many of them the core was busy, and the peak memory of the process
with everything in it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairdistill.auditing import AuditOptions, audit
from fairdistill.predictions import Predictions
from fairdistill.runs import write_json

_ONE_CORE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A test set: N rows of C classes and G groups.

    Attributes:
        rows: N.
        classes: C.
        groups: G.
        a_source: rows of each source.
        across: whether the rows of a source are of any group.
        probabilities: whether there are any.
        against: whether another model is compared.
        table: whether the predictions are a CSV file that the command reads.
        balanced: whether the design is balanced.
    """

    rows: int
    classes: int
    groups: int
    a_source: int = 1
    across: bool = False
    probabilities: bool = False
    against: bool = False
    table: bool = False
    balanced: bool = False


_MILLION = 1_000_000
CASES: Mapping[str, Case] = {
    "1M rows, 10 x 2": Case(rows=_MILLION, classes=10, groups=2),
    "1M rows, 10 x 2, balanced": Case(rows=_MILLION, classes=10, groups=2, balanced=True),
    "1M rows, 2 x 7, probabilities": Case(rows=_MILLION, classes=2, groups=7, probabilities=True),
    "1M rows, 10 x 2, against another": Case(rows=_MILLION, classes=10, groups=2, against=True),
    "1M rows, 10 x 2, 200,000 sources": Case(rows=_MILLION, classes=10, groups=2, a_source=5),
    "1M rows, 10 x 2, 200,000 sources across groups": Case(
        rows=_MILLION, classes=10, groups=2, a_source=5, across=True
    ),
    "1M rows, 10 x 2, 20,000 sources": Case(rows=_MILLION, classes=10, groups=2, a_source=50),
    "300,000 rows, 10 x 20, 60,000 sources": Case(rows=300_000, classes=10, groups=20, a_source=5),
    "1M rows, 10 x 20, 200,000 sources, against another": Case(
        rows=_MILLION, classes=10, groups=20, a_source=5, against=True
    ),
    "1M rows, 1,000 x 20": Case(rows=_MILLION, classes=1000, groups=20),
    "1M rows, 1,000 x 20, balanced": Case(rows=_MILLION, classes=1000, groups=20, balanced=True),
    "1M rows, 1,000 x 20, 200,000 sources": Case(rows=_MILLION, classes=1000, groups=20, a_source=5),
    "10M rows, 10 x 2": Case(rows=10 * _MILLION, classes=10, groups=2),
    "10M rows, 10 x 2, 2M sources": Case(rows=10 * _MILLION, classes=10, groups=2, a_source=5),
    "CSV of 1M rows, 10 x 2": Case(rows=_MILLION, classes=10, groups=2, table=True),
    "CSV of 1M rows, 2 x 7, probabilities": Case(
        rows=_MILLION, classes=2, groups=7, probabilities=True, table=True
    ),
    "CSV of 1M rows, 10 x 2, 200,000 sources": Case(rows=_MILLION, classes=10, groups=2, a_source=5, table=True),
}  # fmt: skip


def made(case: Case, seed: int = 0) -> Predictions:
    """Return predictions of uneven classes: the first group is worse, and sources differ."""
    generator = np.random.default_rng(seed)
    n = case.rows
    sources = np.arange(n) // case.a_source
    of = np.arange(n) if case.across else sources
    groups = np.random.default_rng(1).integers(0, case.groups, n)[of].astype(np.int64)
    share = 1 / np.arange(2, case.classes + 2)  # of each class
    labels = np.random.default_rng(0).choice(case.classes, n, p=share / share.sum())
    hard = generator.normal(size=n)[sources] if case.a_source > 1 else 0.0
    right = generator.normal(size=n) + hard > -1.2 + 0.2 * (groups == 0)
    wrong = (labels + generator.integers(1, case.classes, n)) % case.classes
    predicted = np.where(right, labels, wrong)
    probabilities = None
    if case.probabilities:
        sure = generator.uniform(1.01 / case.classes, 1, n)
        probabilities = np.repeat(((1 - sure) / (case.classes - 1))[:, None], case.classes, axis=1)
        probabilities[np.arange(n), predicted] = sure
    return Predictions(
        where="made up",
        ids=None,
        sources=sources,
        labels=labels,
        groups=groups,
        predicted=predicted,
        probabilities=probabilities,
        class_names=_names("class", case.classes),
        group_names=_names("group", case.groups),
        design="balanced" if case.balanced else "random",
    )


def _names(kind: str, count: int) -> tuple[str, ...]:
    return tuple(f"{kind} {at:04d}" for at in range(count))


def measured(case: Case) -> dict[str, float]:
    """Return the seconds of an audit, those of them in which it ran, and the peak memory of this process in MiB."""
    predictions = made(case)
    against = replace(predictions, predicted=made(case, seed=1).predicted) if case.against else None
    options = AuditOptions(against=against)
    before = resource.getrusage(resource.RUSAGE_SELF)
    started = time.perf_counter()
    result = audit(predictions, options=options)
    result.text()
    with tempfile.TemporaryDirectory() as folder:
        write_json(Path(folder) / "audit.json", result.to_dict())
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": seconds,
        "busy": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "MiB": after.ru_maxrss / 1024,
    }


def of_table(case: Case) -> dict[str, float]:
    """Return the same of the command for a table."""
    import pandas as pd

    predictions = made(case)
    labels, groups = np.array(predictions.class_names), np.array(predictions.group_names)
    columns: dict[str, NDArray[np.generic]] = {
        "id": np.char.add("image", np.arange(case.rows).astype(str)),
        "label": labels[predictions.labels],
        "group": groups[predictions.groups],
        "pred": labels[predictions.predicted],
    }
    if case.a_source > 1:
        columns["source_id"] = predictions.sources
    if predictions.probabilities is not None:
        columns |= {f"p_{name}": predictions.probabilities[:, at].round(6) for at, name in enumerate(labels)}
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / "predictions.csv", Path(folder) / "audit.json"
        pd.DataFrame(columns).to_csv(path, index=False)
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "fairdistill", "audit", str(path), "--out", str(out)], stdout=subprocess.DEVNULL
        )
        _, status, used = os.wait4(process.pid, 0)
        if status:
            raise SystemExit(f"the audit of {path} failed")
        seconds = time.perf_counter() - started
        return {"seconds": seconds, "busy": used.ru_utime + used.ru_stime, "MiB": used.ru_maxrss / 1024}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", help="default: all")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        case = CASES[options.cases[0]]
        print(json.dumps(of_table(case) if case.table else measured(case)))
        return
    from benchmarks.timing import hardware

    print(f"{hardware()}\n\n| case | seconds | busy | peak MiB |\n| --- | ---: | ---: | ---: |")
    for name in options.cases or CASES:
        command = [sys.executable, "-m", "benchmarks.audit", name, "--child"]
        found = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **_ONE_CORE})
        took = json.loads(found.stdout)
        print(f"| {name} | {took['seconds']:.1f} | {took['busy']:.1f} | {took['MiB']:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
