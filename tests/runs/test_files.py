from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fairdistill.runs import files
from fairdistill.runs.files import json_text, resume_command, write_json, write_text


def test_two_writers_of_one_file_leave_it_whole_and_neither_fails(tmp_path: Path):
    """Each writes texts of its own length, so that a mixture of two would be seen."""
    texts = {str(writer) * 1000 * (writer + 1) for writer in range(4)}
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda text: write_text(tmp_path / "audit.json", text), [*texts] * 25))
    assert (tmp_path / "audit.json").read_text() in texts
    assert [path.name for path in tmp_path.iterdir()] == ["audit.json"]


def test_json_has_one_space_a_level_and_long_lists_of_numbers_on_one_line() -> None:
    content = {
        "a": 1,
        "b": [1, 2.5],
        "c": {},
        "d": [],
        "e": [[1, 2], [3]],
        "f": {"x": [{"q": None, 'é"': "é\n"}], "3": True},
    }
    assert json_text(content) == json.dumps(content, indent=1, ensure_ascii=False)
    numbers = [*range(200), 0.5]
    assert json_text({"n": [numbers, [float("nan"), *numbers]]}).splitlines()[2].strip() == f"{numbers},"
    assert json.loads(json_text({"n": [float("nan"), *numbers]})) == {"n": [None, *numbers]}


def test_the_command_that_resumes_a_run_can_be_pasted():
    assert resume_command("runs/a") == "fairdistill train --resume runs/a"
    assert resume_command(Path("my runs/$(a)")) == "fairdistill train --resume 'my runs/$(a)'"


def test_a_long_file_is_written_in_pieces_and_equals_its_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = {
        "cells": [{"at": [at, None], "name": "é\n"} for at in range(50)],
        "counts": [[[0] * 150] * 3] * 2,
        "n": 0.5,
    }
    pieces: list[int] = []
    encoded = files._encoded
    monkeypatch.setattr(files, "_encoded", lambda text: pieces.append(len(text)) or encoded(text))
    monkeypatch.setattr(files, "_PIECE", 300)
    write_json(tmp_path / "a.json", content)
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == json_text(content) + "\n"
    assert len(pieces) > 5
    assert max(pieces) < 1000  # a piece ends after the part that fills it


def test_what_makes_its_items_is_written_as_a_list(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"at": range(3), "none": range(0)})
    assert json.loads((tmp_path / "a.json").read_text()) == {"at": [0, 1, 2], "none": []}
