"""Whether two versions give the same: real commands, and what they write, byte for byte.

    python -m tests.unchanged record FOLDER [NAME ...]   run the commands (or those) with the fairdistill imported here
    python -m tests.unchanged compare A B                say where two recordings differ

``PYTHONPATH=OLD/src`` records another version with the same Python and libraries, on the same machine.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.tables_of_people import write_tables

QUICK = ("--device", "cpu", "--threads", "1")
TRAIN = ("--data", "digits-s", "--precision", "float32", *QUICK)

AUDITS = {
    "pred": ("pred.csv",),
    "limits": ("pred.csv", "--max-deo-a", "0.05", "--max-deo-m", "0.9"),
    "probabilities": ("probabilities.csv",),
    "chosen-classes": ("probabilities.csv", "--prob", "p_cat,p_dog,p_emu", "--classes", "cat,dog,emu"),
    "score": ("score.csv", "--score", "risk", "--threshold", "0.4"),
    "sources": ("sources.csv", "--source", "person"),
    "unknown": ("unknown.csv",),
    "empty": ("empty.csv",),
    "three": ("three.csv",),
    "crossed": ("three.csv", "--group", "group,sex"),
    "confidence": ("pred.csv", "--confidence", "0.9", "--draws", "500", "--seed", "3"),
    "against": ("pred.csv", "--against", "other.csv"),
    "validation": ("probabilities.csv", "--validation", "validation.csv"),
    "latin": ("latin.csv", "--encoding", "latin-1"),
}  # fmt: skip

RUNS = {
    "teacher": ("--method", "scratch", "--epochs", "3"),
    "paper": ("--method", "scratch", "--epochs", "2", "--protocol", "paper"),
    "mfd": ("--method", "mfd", "--epochs", "2", "--teacher", "teacher"),
    "mfd-paper": ("--method", "mfd", "--epochs", "2", "--teacher", "paper", "--protocol", "paper"),
    "hkd": ("--method", "hkd", "--steps", "12", "--teacher", "teacher", "--seed", "1"),
    "sum": ("--method", "ss+fitnet", "--epochs", "3", "--teacher", "teacher"),
    "ad": ("--method", "ad", "--epochs", "2", "--optimizer", "sgd", "--lr", "0.01"),
    "at": ("--method", "at", "--epochs", "2", "--teacher", "teacher", "--init", "teacher"),
    "rows": ("--method", "ss", "--epochs", "2", "--skew", "0.8", "--data-seed", "1", "--split-seed", "2"),
    "guessed": ("--method", "mfd", "--epochs", "2", "--teacher", "teacher", "--pseudo-groups", "--known-groups", "0.5"),
}  # fmt: skip

FORMATS = ("text", "md", "csv", "latex", "json")
TABLES = ("text", "md", "csv", "latex", "html")


def commands() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the name of each command and its words; run in this order, they feed each other."""
    for name, words in AUDITS.items():
        yield f"audit-{name}", ("audit", *words, "--out", f"audit-{name}.json")
    for name, words in RUNS.items():
        yield f"train-{name}", ("train", *TRAIN, *words, "--out", name)
    yield "resume", ("train", "--resume", "stopped")
    for name in ("mfd", "paper", "stopped"):
        yield f"audit-run-{name}", ("audit", name)
    yield from ((f"compare-{kind}", ("compare", "teacher", "mfd", "sum", "--format", kind)) for kind in FORMATS)
    bench = ("--methods", "scratch,hkd,mfd", "--seeds", "0,1", "--epochs", "1", "--teacher-epochs", "1")
    yield "bench", ("bench", "digits-s", *bench, "--device", "cpu", "--precision", "float32", "--out", "bench")
    yield "bench-honest", ("bench", "digits-s", "--methods", "ss", "--seeds", "0", "--steps", "8", "--protocol",
                           "honest", "--device", "cpu", "--precision", "float32", "--out", "bench-honest")  # fmt: skip
    yield from ((f"bench-{kind}", ("bench", "table", "bench", "--format", kind)) for kind in TABLES)
    yield "embed", ("embed", "mfd", "--samples", "150", "--device", "cpu")
    yield "embed-2", ("embed", "teacher", "--dims", "2", "--metric", "euclidean", "--tap", "logits", "--device", "cpu")
    yield "tune", ("tune", *TRAIN, "--method", "hkd", "--teacher", "teacher", "--search", "lr=0.001,0.003", "--trials",
                   "2", "--epochs", "2", "--rule", "deo_a subject to accuracy >= 0.05", "--out", "tune")  # fmt: skip
    fix = ("--data", "digits-s", "--students", "1", "--epochs", "2", "--precision", "float32", *QUICK)
    yield "fix", ("fix", "teacher", *fix, "--out", "fix")
    yield "fix-data", ("fix", *fix, "--anyway", "--group-at-use", "--out", "fix-data")
    yield "inspect", ("data", "inspect", "--data", "digits-s")
    yield "report", ("report", "teacher", "mfd", "paper", "--out", "report.html", "--card", "card.md")


def record(folder: Path, only: Sequence[str] = ()) -> None:
    """Run every command in the new folder, or some again, and keep what it writes, what it prints and its exit code."""
    folder.mkdir(parents=True, exist_ok=bool(only))
    write_tables(folder)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive", "COLUMNS": "100", "TZ": "UTC"}
    kept_codes = folder / "codes.json"
    codes: dict[str, int] = json.loads(kept_codes.read_text(encoding="utf-8")) if kept_codes.exists() else {}
    for name, words in commands():
        if only and name not in only:
            continue
        if name == "resume":
            codes["stop"] = stop(folder, environment)
        began = time.perf_counter()
        with (folder / f"{name}.out").open("wb") as out, (folder / f"{name}.err").open("wb") as err:
            command = [sys.executable, "-m", "fairdistill", *words]
            codes[name] = subprocess.run(command, cwd=folder, env=environment, stdout=out, stderr=err).returncode
        print(f"{name}: exit {codes[name]}, {time.perf_counter() - began:.1f} s", flush=True)
    kept_codes.write_text(json.dumps(codes, indent=1, sort_keys=True), encoding="utf-8")


def stop(folder: Path, environment: dict[str, str]) -> int:
    """Train until the first epoch is written, then press Ctrl-C; where that stops it must not matter."""
    words = ("--method", "mfd", "--epochs", "40", "--teacher", "teacher", "--seed", "5", "--out", "stopped")
    running = subprocess.Popen(
        [sys.executable, "-m", "fairdistill", "train", *TRAIN, *words],
        cwd=folder,
        env=environment,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    log = folder / "stopped" / "log.jsonl"
    while running.poll() is None and not (log.is_file() and log.read_text()):
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    return running.wait()


# What may differ: how long and how fast, on what and when, and what only says so in words.
MEASURED = frozenset(
    {"seconds", "samples_per_second", "peak_memory_bytes", "images_per_second", "started", "finished", "created",
     "date", "written", "host", "pid", "platform", "processor", "packages", "python", "commit", "fairdistill",
     "version", "when", "estimate", "training_seconds", "data_seconds", "time", "times", "notes"}
)  # fmt: skip
COMMIT = re.compile(r" \([0-9a-f]{9}\)")
RENAMED = {"mmd.": "mfd.", '"mmd"': '"mfd"', "self_mmd": "self_mfd"}  # one name for one idea; old ones are still read
WORDS = (".out", ".err", ".html", ".md", ".txt")
LEFT_OUT = (".lock", ".sqlite3", ".db", ".pt", ".log", ".png", ".pdf", ".svg", ".err")


def compare(first: Path, second: Path) -> list[str]:
    """Return where two recordings differ."""
    names = [names_of(folder) for folder in (first, second)]
    differ = [f"only in {first}: {name}" for name in sorted(names[0] - names[1])]
    differ += [f"only in {second}: {name}" for name in sorted(names[1] - names[0])]
    for name in sorted(names[0] & names[1]):
        a, b = content(first / name, first), content(second / name, second)
        if a != b:
            differ.append(f"{name}: {first_difference(a, b)}")
    return differ


def names_of(folder: Path) -> set[str]:
    """Return the files of a recording that are compared."""
    paths = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    hidden = {path for path in paths if any(part.startswith(".") or part == "checkpoint" for part in path.parts)}
    return {str(path) for path in set(paths) - hidden if path.suffix not in LEFT_OUT}


def content(path: Path, root: Path) -> Any:
    """Return what must be equal: tensors by their digest, JSON and YAML without measured keys, of words the numbers."""
    if path.suffix == ".safetensors":
        return weights(path)
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            return {name: hashlib.sha256(arrays[name].tobytes()).hexdigest() for name in arrays.files}
    text = COMMIT.sub("", path.read_text(encoding="utf-8", errors="backslashreplace"))
    for old, new in {str(root.resolve()): ".", str(root): ".", **RENAMED}.items():
        text = text.replace(old, new)
    if path.suffix == ".json" or path.name.endswith("json.out"):
        return json.dumps(without_measured(json.loads(text)), indent=1).splitlines()
    if path.suffix == ".jsonl":
        return [json.dumps(without_measured(json.loads(line))) for line in text.splitlines()]
    if path.name.endswith("latex.out"):
        return [line if "&" in line else str(numbers(line)) for line in text.splitlines()]
    if path.suffix in WORDS and not path.name.endswith("csv.out"):
        return numbers(text)
    return text.splitlines()


def without_measured(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_measured(each) for key, each in value.items() if key not in MEASURED}
    return [without_measured(each) for each in value] if isinstance(value, list) else value


def numbers(text: str) -> list[str]:
    """Return the decimal fractions of a text, since its words may be written anew; a time is none."""
    return re.findall(r"(?<![\d.])[+-]?\d+\.\d+(?!\.?\d|\s*(?:s|min|h|GiB|MiB|seconds)\b)", text)


def weights(path: Path) -> dict[str, Any]:
    """Return the digest of a safetensors file's numbers, and its tensors and texts."""
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    head = json.loads(raw[8 : 8 + size])
    return {"numbers": hashlib.sha256(raw[8 + size :]).hexdigest(), "head": without_measured(head)}


def first_difference(a: Any, b: Any) -> str:
    if isinstance(a, list) and isinstance(b, list):
        for line, (left, right) in enumerate(zip(a, b, strict=False), 1):
            if left != right:
                return f"{line}: {left.strip()[:150]!r} is now {right.strip()[:150]!r}"
        return f"{len(a)} lines are now {len(b)}"
    return f"{a} is now {b}"


def main(words: Sequence[str]) -> int:
    match words:
        case ["record", folder, *only]:
            record(Path(folder), only)
            return 0
        case ["compare", first, second]:
            differ = compare(Path(first), Path(second))
            print(*(differ or ["no difference"]), sep="\n")
            return bool(differ)
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
