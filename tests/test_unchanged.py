"""What an earlier version wrote for the same inputs, in tests/recorded; its run folders are read too."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from fairdistill.cli.main import main
from tests.tables_of_people import write_tables
from tests.unchanged import AUDITS, FORMATS, TABLES, compare, numbers

RECORDED = Path(__file__).parent / "recorded"


DRAWN = re.compile(r"(.*_)?(low|high|estimate|floor|p_value|at_least|at_most)|detected|gap_.*")
TIED = 5e-3  # a processor's last digits may tip a tie between a drawn test set and the observed one


def same(now: Any, then: Any, tolerance: float = 1e-12) -> bool:
    """Return whether two JSON values are equal, keys in the same order, but for words and a processor's last digits."""
    if isinstance(then, dict):
        within = {key: TIED if DRAWN.fullmatch(key) else 1e-12 for key in then if key != "notes"}
        return list(now) == list(then) and all(same(now[key], then[key], within[key]) for key in within)
    if isinstance(then, list):
        return len(now) == len(then) and all(same(*pair, tolerance) for pair in zip(now, then, strict=True))
    if isinstance(then, float):
        return isinstance(now, float) and now == pytest.approx(then, rel=1e-9, abs=tolerance)
    return type(now) is type(then) and now == then


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    write_tables(folder)
    return folder


@pytest.mark.parametrize("name", AUDITS)
def test_audits_are_those_of_an_earlier_version(name, tables, tmp_path, monkeypatch):
    monkeypatch.chdir(tables)
    out = tmp_path / "audit.json"
    assert main(["audit", *AUDITS[name], "--out", str(out)]) == (1 if name == "limits" else 0)
    then = (RECORDED / f"audit-{name}.json").read_text(encoding="utf-8")
    now = out.read_text(encoding="utf-8")
    assert same(json.loads(now), json.loads(then))
    assert now.count("\n") == then.count("\n")


@pytest.mark.parametrize(
    ("command", "format_"),
    [*(("compare", format_) for format_ in FORMATS), *(("bench", format_) for format_ in TABLES)],
)
def test_tables_are_those_of_an_earlier_version(command, format_, monkeypatch, capsys):
    monkeypatch.chdir(RECORDED / "runs")
    words = ["compare", "teacher", "mfd", "sum"] if command == "compare" else ["bench", "table", "bench"]
    assert main([*words, "--format", format_]) == 0
    now, then = capsys.readouterr().out, (RECORDED / f"{command}-{format_}.txt").read_text(encoding="utf-8")
    if format_ == "json":
        assert same(json.loads(now), json.loads(then))
    elif format_ == "csv":
        assert now == then
    else:  # words may be written anew
        assert numbers(now) == numbers(then)
        assert len(numbers(now)) > 9


@pytest.fixture
def pair(tmp_path):
    shutil.copytree(RECORDED, tmp_path / "a")
    shutil.copytree(RECORDED, tmp_path / "b")
    return tmp_path / "a", tmp_path / "b"


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_equal_recordings_have_no_difference_nor_have_other_times(pair):
    a, b = pair
    replace(b / "runs/mfd/result.json", '"seconds": 1.5', '"seconds": 9.5')
    replace(b / "runs/mfd/config.yaml", "teacher: teacher", f"teacher: {b}/teacher")
    replace(a / "runs/mfd/config.yaml", "teacher: teacher", f"teacher: {a}/teacher")
    assert compare(a, b) == []


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("audit-pred.json", '"rows": 240', '"rows": 241'),
        ("audit-pred.json", "0.29707602339181", "0.29707602339182"),
        ("audit-pred.json", '"sources"', '"pictures"'),
        ("runs/sum/config.yaml", "lr: 0.001", "lr: 0.002"),
        ("compare-csv.txt", "0.1323283082077052", "0.1323283082077053"),
    ],
)
def test_a_difference_is_named_with_its_file(pair, file, old, new):
    a, b = pair
    replace(b / file, old, new)
    (found,) = compare(a, b)
    assert found.startswith(f"{file}: ")


def test_a_file_that_one_lacks_is_named(pair):
    a, b = pair
    (b / "audit-pred.json").unlink()
    assert compare(a, b) == [f"only in {a}: audit-pred.json"]
    assert compare(b, a) == [f"only in {a}: audit-pred.json"]


def test_words_of_a_text_may_change_and_its_numbers_may_not():
    text = "DEO_A 29.7 [19.6, 39.9], about 12.5 s, fairdistill 0.1.0.dev0"
    assert numbers(text) == ["29.7", "19.6", "39.9"]
