from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture import LONGEST, ROOT, House, main

OFFENCES = ("upward", "cycle", "past a face", "name", "size")

FACE = """
from fairdistill.runs.folder import RunFolder
__all__ = ["RunFolder"]
"""


def house(root: Path, files: dict[str, str]) -> House:
    files = {"__init__.py": '__all__ = ["audit"]', "runs/__init__.py": FACE, "runs/folder.py": "", **files}
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return House(root)


def offences(root: Path, files: dict[str, str]) -> dict[str, list[str]]:
    return {kind: lines for kind, lines in house(root, files).offences().items() if lines}


def test_a_sound_house_has_no_offence(tmp_path: Path) -> None:
    assert offences(tmp_path, {"methods.py": "", "cli/__init__.py": "from fairdistill.runs import RunFolder"}) == {}


@pytest.mark.parametrize(
    "text",
    [
        "import fairdistill.cli.main",
        "from fairdistill import cli",
        "def late():\n    from fairdistill.cli import main",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from fairdistill.cli.main import main",
        "from fairdistill import audit",
    ],
)
def test_an_import_from_above_offends_wherever_it_stands(tmp_path: Path, text: str) -> None:
    found = offences(tmp_path, {"cli/__init__.py": "", "cli/main.py": "", "runs/files.py": text})
    assert list(found) == ["upward"]


def test_so_does_one_from_the_same_floor(tmp_path: Path) -> None:
    found = offences(tmp_path, {"methods.py": "", "samplers/__init__.py": "import fairdistill.methods"})
    assert found == {"upward": ["fairdistill.samplers:1 imports fairdistill.methods, which is not below it"]}


def test_two_modules_that_import_each_other_are_a_cycle(tmp_path: Path) -> None:
    pair = {"runs/a.py": "import fairdistill.runs.b", "runs/b.py": "def f():\n    from fairdistill.runs import a"}
    assert list(offences(tmp_path, pair)) == ["cycle"]


def test_so_are_an_inner_folder_and_a_file_beside_it(tmp_path: Path) -> None:
    inner = {
        "runs/inner/__init__.py": "",
        "runs/inner/a.py": "import fairdistill.runs.b",
        "runs/inner/c.py": "",
        "runs/b.py": "",
    }
    assert offences(tmp_path, inner) == {}
    back = {**inner, "runs/b.py": "import fairdistill.runs.inner.c"}
    assert list(offences(tmp_path / "back", back)) == ["cycle"]


def test_what_a_face_offers_is_imported_from_it(tmp_path: Path) -> None:
    files = {"cli/__init__.py": "from fairdistill.runs.folder import RunFolder, other"}
    assert offences(tmp_path, files) == {
        "past a face": ["fairdistill.cli:1 imports RunFolder from fairdistill.runs.folder; use fairdistill.runs"]
    }


def test_another_thing_of_the_same_name_is_none_the_face_offers(tmp_path: Path) -> None:
    assert (
        offences(tmp_path, {"runs/old.py": "", "cli/__init__.py": "from fairdistill.runs.old import RunFolder"}) == {}
    )


@pytest.mark.parametrize(
    ("file", "offence"),
    [
        ("audit/__init__.py", "fairdistill.audit has the name of a public function"),
        ("runs/fix/__init__.py", "fairdistill.runs.fix has the name of a public function"),
        ("runs/old/folder.py", "fairdistill.runs.old has no __init__.py"),
        ("helpers.py", "helpers.py is loose at the top level"),
        ("attic/__init__.py", "attic is on no floor"),
    ],
)
def test_names_and_places(tmp_path: Path, file: str, offence: str) -> None:
    assert offence in offences(tmp_path, {file: ""})["name"]


def test_a_long_file_offends(tmp_path: Path) -> None:
    assert list(offences(tmp_path, {"methods.py": "\n" * LONGEST})) == []
    assert list(offences(tmp_path / "longer", {"methods.py": "\n" * (LONGEST + 1)})) == ["size"]


@pytest.fixture(scope="module")
def ours() -> House:
    return House(ROOT)


@pytest.fixture(scope="module")
def found(ours: House) -> dict[str, list[str]]:
    return ours.offences()


@pytest.mark.parametrize("kind", OFFENCES)
def test_nothing_of_ours_offends(found: dict[str, list[str]], kind: str) -> None:
    assert found[kind] == []


def test_benchmarks_go_through_the_faces_too(ours: House) -> None:
    paths = sorted((ROOT.parents[1] / "benchmarks").glob("*.py"))
    assert [line for path in paths for line in ours.past_the_face(path.stem, ast.parse(path.read_text()))] == []


def test_the_floors_are_printed(
    ours: House, found: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(House, "offences", lambda _house: found)
    monkeypatch.setattr("tests.architecture.House", lambda root: {ROOT: ours}[root])  # read already
    main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["room", "files", "median", "p90", "max"]
    assert [line.split()[0] for line in lines].index("cli") < [line.split()[0] for line in lines].index("metrics")
