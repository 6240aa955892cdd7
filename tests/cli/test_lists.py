"""Lists of methods and data sets: made from METHODS and DATASETS in help texts, held to them in the docs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fairdistill import cli
from fairdistill.cli.lists import filled
from fairdistill.data import DATASETS
from fairdistill.method_names import METHOD_NAMES
from fairdistill.methods import METHODS, Method

ROOT = Path(__file__).parents[2]
METHODS_PAGE = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
UNRELEASED = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").partition("\n## ")[2].partition("\n## ")[0]


def rows(page: str, head: str) -> list[list[str]]:
    """Return the cells of each line of the tables whose head begins so, without the quotes around code."""
    found, inside = [], False
    for line in page.splitlines():
        inside = line.startswith("|") and (inside or line.startswith(f"| {head} |"))
        if inside:
            found.append([cell.strip() for cell in line.strip("| ").split(" | ")])
    return [[cell.strip("` ") for cell in row] for row in found if row[0].startswith("`")]


def line_of(method: Method) -> str:
    """Return a method's line in docs/methods.md, up to its source."""
    terms = " + ".join(term.name for term in method.terms)
    return f"| `{method.name}` | {terms} | {method.sampler} |"


def test_help_names_are_those_of_the_methods():
    assert tuple(METHODS) == METHOD_NAMES, "src/fairdistill/method_names.py must hold the names of METHODS"
    assert filled("{methods}; {datasets}; {other}") == f"{', '.join(METHODS)}; {', '.join(DATASETS)}; {{other}}"


@pytest.mark.parametrize(
    ("command", "lists"),
    [
        (["train"], METHODS),
        (["train"], DATASETS),
        (["audit", "--data", "digits-s"], DATASETS),
        (["fix"], DATASETS),
        (["data", "inspect"], DATASETS),
    ],
)
def test_help_lists_every_one(capsys, command, lists):
    assert cli.main([*command, "--help"]) == 0
    assert ", ".join(lists) in " ".join(capsys.readouterr().out.split())


def test_the_docs_say_of_every_method_what_it_is():
    """A method is in docs/methods.md by the next release; until then the changelog announces it."""
    said = {}
    for name, terms, sampler, *rest in rows(METHODS_PAGE, "method | terms"):
        said[name] = f"| `{name}` | {terms} | {sampler} |"
        warmup = rest[0] if len(rest) > 1 else ""
        assert warmup == " + ".join(term.name for term in METHODS[name].warmup), f"docs/methods.md: warm-up of {name}"
    assert said == {name: line_of(METHODS[name]) for name in said}
    missing = [line_of(method) for name, method in METHODS.items() if name not in said]
    assert all(re.search(f"`{line.split('`')[1]}`", UNRELEASED) for line in missing), f"docs/methods.md lacks {missing}"


def test_the_docs_name_every_setting_of_the_terms_that_they_list():
    terms = {term.name: method.settings for method in METHODS.values() for term in method.all_terms}
    listed = {row[0]: row[-1] for row in rows(METHODS_PAGE, "term | loss")}
    assert listed.keys() <= terms.keys()
    for term, text in listed.items():
        own = {name for name in terms[term] if name.startswith(f"{term}.")}
        assert set(re.findall(rf"{re.escape(term)}\.\w+", text)) == own, f"docs/methods.md: settings of {term}"


def test_the_docs_have_every_data_set():
    listed = {row[0] for row in rows((ROOT / "docs" / "data.md").read_text(encoding="utf-8"), "`--data`")}
    assert set(DATASETS) <= listed
