"""Whether the files of a folder are whole, and what they say but for the time that it took."""

from __future__ import annotations

import csv
import hashlib
import html.parser
import json
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from safetensors import safe_open

from fairdistill.models.files.safe_file import read_safe
from fairdistill.training.progress.state import load_checkpoint

_TIMES = frozenset(
    {
        "seconds", "samples_per_second", "peak_memory_bytes", "first_seconds", "row_seconds", "when", "commit",
        "image_seconds", "pace", "images_per_second",
    }
)  # fmt: skip
_UNFINISHED = (".part", ".done", "-journal", "-wal", "-shm")
_LOCKS = (".lock",)


def unfinished(path: Path) -> bool:
    """Return whether a name says that the file is not finished, or only a lock."""
    return (
        path.name.endswith((*_UNFINISHED, *_LOCKS))
        or path.name == "lock"
        or any(part.endswith(".part") for part in path.parts)
    )


def files_of(folder: Path) -> list[Path]:
    """Return the files below a folder, relative to it."""
    return sorted(each.relative_to(folder) for each in folder.rglob("*") if each.is_file() and not each.is_symlink())


def problems(folder: Path) -> list[str]:
    """Return one line for each file below a folder that has its name but is not whole."""
    found = []
    for name in files_of(folder):
        check = _CHECKS.get(name.suffix)
        if check is None or unfinished(name):
            continue
        try:
            check(folder / name)
        except Exception as error:
            found.append(f"{name} is not whole: {type(error).__name__}: {str(error)[:120]}")
    return found


def left_over(folder: Path, expected: Mapping[str, Any]) -> list[str]:
    """Return one line for each file below a folder that an uninterrupted run did not leave there, but for locks."""
    there = {str(name) for name in files_of(folder) if not name.name.endswith(_LOCKS) and name.name != "lock"}
    gone = sorted(set(expected) - there)
    return [
        *(f"{name} is left over" for name in sorted(there - set(expected))),
        *(f"{name} is missing" for name in gone),
    ]


def said(folder: Path) -> dict[str, Any]:
    """Return what every file below a folder says, by name; equal for two runs that say the same."""
    return {
        str(name): _said(folder / name)
        for name in files_of(folder)
        if not name.name.endswith(_LOCKS) and name.name != "lock"
    }


def differences(found: Mapping[str, Any], expected: Mapping[str, Any]) -> list[str]:
    """Return one line for each file that says something else than expected."""
    return [
        f"{name} differs: {_first_difference(found[name], expected[name])}"
        for name in expected
        if name in found and found[name] != expected[name]
    ]


def _first_difference(one: Any, other: Any, where: str = "") -> str:
    if isinstance(one, dict) and isinstance(other, dict):
        for name in [*one, *other]:
            if one.get(name) != other.get(name):
                return _first_difference(one.get(name), other.get(name), f"{where}.{name}")
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for at, (first, second) in enumerate(zip(one, other, strict=True)):
            if first != second:
                return _first_difference(first, second, f"{where}[{at}]")
    return f"{where} {repr(one)[:60]} instead of {repr(other)[:60]}"


def _said(path: Path) -> Any:
    if path.suffix == ".json":
        return _without_times(json.loads(path.read_text()))
    if path.suffix == ".jsonl" and path.name == "log.jsonl":
        return [_without_times(json.loads(line)) for line in path.read_text().splitlines()]
    if path.suffix == ".yaml":  # a run that is continued may write the same configuration again
        return yaml.safe_load(path.read_text())
    if path.suffix in (".html", ".md"):
        return _UNSTEADY.sub("", path.read_text())
    if path.suffix in (".db", ".pt"):
        return path.suffix
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()


_UNSTEADY = re.compile(
    r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d)?(\+00:00)?)?|\d[\d.,]* ?(s|seconds?|min|minutes?|h|hours?)\b|"
    r"[\d.,]+ images/s|\b[0-9a-f]{40}\+?"
)


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_times(each) for name, each in value.items() if name not in _TIMES}
    return [_without_times(each) for each in value] if isinstance(value, list) else value


def _log(path: Path) -> None:
    """Check all lines but the last, which may be cut off until the run is resumed."""
    for line in path.read_bytes().split(b"\n")[:-1]:
        json.loads(line)


def _table(path: Path) -> None:
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows, "no header"
    assert len({len(row) for row in rows}) == 1, "rows of different lengths"
    assert path.read_bytes().endswith(b"\n"), "no end of the last line"


def _page(path: Path) -> None:
    text = path.read_text()
    assert text.rstrip().endswith("</html>"), "no end"
    html.parser.HTMLParser().feed(text)


def _database(path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:  # opening it may finish or undo what was going on
        for each in path.parent.glob(f"{path.name}*"):
            shutil.copy(each, folder)
        with sqlite3.connect(Path(folder) / path.name) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def _weights(path: Path) -> None:
    with safe_open(path, framework="pt") as file:
        assert "fairdistill_digest" in (file.metadata() or {}), "no digest"
    read_safe(path)


def _graph(path: Path) -> None:
    import onnx

    onnx.checker.check_model(str(path), full_check=True)


_CHECKS: dict[str, Callable[[Path], Any]] = {
    ".json": lambda path: json.loads(path.read_text()),
    ".jsonl": _log,
    ".yaml": lambda path: yaml.safe_load(path.read_text()) or 1 / 0,
    ".csv": _table,
    ".html": _page,
    ".safetensors": _weights,
    ".pt": lambda path: load_checkpoint(path, digest=True),
    ".db": _database,
    ".onnx": _graph,
}
