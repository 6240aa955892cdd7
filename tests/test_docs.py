"""What the pages say is true: links lead somewhere, modules and files exist, options are options."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pygments.lexers import get_lexer_by_name
from pygments.token import Token

import fairdistill
from fairdistill.cli import main
from fairdistill.cli.main import COMMANDS
from fairdistill.data import DATASETS
from fairdistill.methods import METHODS
from tests.architecture import FLOORS

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    page
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("results/*.md"))
    if not page.is_relative_to(ROOT / "docs" / "_build")
)


def anchors(page: Path) -> set[str]:
    """Return the fragments that GitHub gives to a page's headings."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    heads = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def commands(page: Path) -> Iterator[list[str]]:
    """Yield the words of every ``$ fairdistill ...`` that a page shows."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in re.findall(r"^\$ (?:\w+=\S+ )*(?:torchrun .* -m )?fairdistill (.*)$", text, flags=re.MULTILINE):
        yield re.sub(r'"[^"]*"', "TEXT", line.split("#")[0]).split()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_to_a_page_and_a_heading(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith(("http://", "https://")):
            continue
        path, _, fragment = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        if not linked.exists() or (fragment and fragment not in anchors(linked)):
            broken.append(target)
    assert not broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_named_modules_and_files_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    missing = []
    for name in re.findall(r"\bfairdistill(?:\.\w+)+", re.sub(r"fairdistill\.(?:git|json|fish)\b", "", text)):
        parts = name.split(".")
        found: object = importlib.import_module(parts[0])
        try:
            for depth, part in enumerate(parts[1:], start=2):
                if not hasattr(found, part):
                    importlib.import_module(".".join(parts[:depth]))
                found = getattr(found, part)
        except (AttributeError, ImportError):
            missing.append(name)
    for name in re.findall(r"`((?:\w+/)+\w+\.py)`", text):
        placeholder = re.search(r"NAME|\bverb", name)
        if not placeholder and not any((base / name).exists() for base in (ROOT, ROOT / "src" / "fairdistill")):
            missing.append(name)
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_blocks_of_code_are_of_the_language_they_name(page: Path) -> None:
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    wrong = [
        (language, value)
        for language, code in blocks
        for kind, value in get_lexer_by_name(language).get_tokens(code)
        if kind is Token.Error
    ]
    assert not wrong, "the site's builder refuses these blocks"


@pytest.mark.parametrize(
    "command", ["audit", "bench", "compare", "data", "embed", "export", "fix", "predict", "report", "train", "tune"]
)
def test_shown_options_are_options(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = [words for page in PAGES for words in commands(page) if words[:1] == [command]]
    assert shown, "no page shows the command"
    helps: dict[tuple[str, ...], str] = {}
    unknown = []
    for words in shown:
        inner = words[1:2] if words[1:2] in (["inspect"], ["table"]) else []
        data = next((words[i + 1] for i, word in enumerate(words[:-1]) if word == "--data"), None)
        if data is not None and data.endswith(".csv"):
            data = "images.csv"
        mode = ["--predictions"] if "--predictions" in words else []
        asked = (command, *inner, *mode, *(["--data", data] if data is not None else []), "--help")
        if asked not in helps:
            main(list(asked))
            helps[asked] = capsys.readouterr().out
        unknown += [
            word
            for word in words
            if word.startswith("--") and f" {word} " not in f"{helps[asked]} ".replace("\n", " ").replace(",", " ")
        ]
    assert not unknown


def test_every_method_setting_and_data_set_has_its_line() -> None:
    methods_page = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    data_page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    for name, method in METHODS.items():
        assert f"| `{name}` |" in methods_page
        for setting in method.settings:
            assert f"`{setting}`" in methods_page
    for name in DATASETS:
        assert f"| `{name}` |" in data_page


def test_every_method_has_a_page_with_its_formula_that_the_index_names() -> None:
    index = (ROOT / "docs" / "methods" / "index.md").read_text(encoding="utf-8")
    for name in METHODS:
        page = (ROOT / "docs" / "methods" / f"{name}.md").read_text(encoding="utf-8")
        assert page.startswith(f"# {name}\n")
        assert "$$" in page
        assert f"```{{measured}} {name}\n" in page
        assert f"[`{name}`]({name}.md)" in index
        assert f"\n{name}\n" in index


def test_the_reference_lists_every_public_name() -> None:
    reference = (ROOT / "docs" / "api" / "index.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^   ([\w.]+)$", reference, flags=re.MULTILINE))
    modules = {"data", "losses", "metrics", "models", "samplers", "__version__"}
    assert set(fairdistill.__all__) - modules <= listed
    losses = {name for name in fairdistill.losses.__all__ if name.endswith(("Loss", "_loss"))}
    assert losses <= listed


@pytest.mark.parametrize("room", ["losses", "metrics", "models"])
def test_the_reference_lists_what_the_listed_functions_take_and_return(room: str) -> None:
    reference = (ROOT / "docs" / "api" / "index.md").read_text(encoding="utf-8")
    listed = {name.split(".")[-1] for name in re.findall(r"^   ([\w.]+)$", reference, flags=re.MULTILINE)}
    face = importlib.import_module(f"fairdistill.{room}")
    classes = {name for name in face.__all__ if isinstance(getattr(face, name), type)}
    named = set()
    for each in (getattr(face, name) for name in listed & set(face.__all__)):
        annotations = [inspect.get_annotations(each), inspect.get_annotations(getattr(each, "__init__", each))]
        named |= set(re.findall(r"\w+", " ".join(str(value) for found in annotations for value in found.values())))
    assert not named & classes - listed


def test_the_reference_lists_every_term_and_what_pages_import() -> None:
    reference = (ROOT / "docs" / "api" / "index.md").read_text(encoding="utf-8")
    listed = {name.split(".")[-1] for name in re.findall(r"^   ([\w.]+)$", reference, flags=re.MULTILINE)}
    terms = {type(term).__name__ for method in METHODS.values() for term in method.all_terms}
    assert terms <= listed
    shown = set()
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for names in re.findall(r"^from fairdistill[\w.]* import ([\w, ]+)$", text, flags=re.MULTILINE):
            shown |= set(names.split(", "))
    shown -= {"TapName"}  # not a class or function
    assert shown <= listed


def test_statistics_of_arrays_run_as_the_page_shows(capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
    (shown,) = (block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "paired_test" in block)
    rows = np.arange(240)
    labels, groups = rows % 2, rows // 2 % 3
    given = {"labels": labels, "groups": groups, "people": rows // 2}
    exec(shown, {**given, "predicted": np.where(rows < 20, 1, labels), "baseline": np.where(rows < 80, 1, labels)})
    printed = [float(number) for number in capsys.readouterr().out.split()]
    assert len(printed) == 9
    assert printed[2] == pytest.approx(0.0125)


def test_every_command_shows_its_help() -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    shown = {name.split()[0] for name in re.findall(r"```\{command-help\} (.*)\n", page)}
    assert shown == set(COMMANDS)


def test_the_picture_of_the_floors_is_the_house() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    picture = page[page.index("```text") : page.index("A package's")]
    rows = [line for line in picture.splitlines() if line.startswith("│")]
    floors = FLOORS[1:]  # the public names are beside the command line
    assert [row[2:].split()[0].strip(",") for row in rows] == [rooms[0] for rooms in floors]
    for row, rooms in zip(rows, floors, strict=True):
        assert all(room in row for room in rooms if not room.startswith("_"))


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150
