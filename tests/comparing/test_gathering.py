"""Row files: what a comparison printed as JSON is read again and put together."""

from __future__ import annotations

import io
import json
import math

import pytest

from fairdistill.comparing import compare, formatted
from fairdistill.errors import DataError, UsageError

ROW = {
    "method": "mfd", "n": 1, "steps": 400, "samples": 51200, "collapsed_seeds": [], "seeds": [0], "runs": ["mfd-0"],
    "values": {"accuracy": [0.8], "deo_a": [0.1], "deo_m": [0.2]},
}  # fmt: skip


@pytest.fixture
def row_file(tmp_path):
    def write(name, *rows, **others):
        content = {"data": "digits-s", "protocol": "paper", "made_with": ["version 1"], "rows": rows or [ROW], **others}
        path = tmp_path / name
        path.write_text(json.dumps(content))
        return path

    return write


def other(**changes):
    return {
        **ROW,
        "seeds": [1],
        "runs": ["mfd-1"],
        "values": {"accuracy": [0.9], "deo_a": [None], "deo_m": [0.4]},
        **changes,
    }


def test_seeds_of_two_files_make_one_row_in_their_order(row_file):
    second = other(collapsed_seeds=[1], collapsed_attributes={"glasses": [1]})
    result = compare([row_file("b.json", second, made_with=["version 2"]), row_file("a.json")])
    (row,) = result.rows
    assert row.collapsed_attributes == {"glasses": (1,)}
    assert (row.label, row.seeds, row.collapsed, row.paths) == ("mfd", (0, 1), (1,), ("mfd-0", "mfd-1"))
    assert row.accuracy.values == (0.8, 0.9)
    assert row.deo_a.values[0] == 0.1
    assert math.isnan(row.deo_a.values[1])
    assert result.made_with == ("version 2", "version 1")


def test_what_is_printed_as_json_is_read_back(row_file):
    once = compare([row_file("a.json", ROW, other(method="ss"), largest_class=0.5, tested_on="abc")])
    again = row_file("c.json")
    again.write_text(formatted(once, "json"))
    assert formatted(compare(again), "json") == formatted(once, "json")
    assert [row.label for row in once.rows] == ["ss", "mfd"]  # the paper's order


def test_rows_are_read_from_standard_input(row_file, monkeypatch):
    content = row_file("a.json").read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert compare(["-", row_file("b.json", other())]).rows[0].seeds == (0, 1)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"x")))
    with pytest.raises(DataError, match=r"^standard input does not hold rows"):
        compare("-")


def test_rows_of_other_own_code_stay_apart_and_say_so(row_file):
    one, two = ({"code": {"my_losses.py": text, "my_layers.py": "ab"}} for text in ("c3", "d4"))
    files = [row_file("a.json", {**ROW, **one}), row_file("b.json", other(**one)), row_file("c.json", other(**two))]
    result = compare(files)
    assert [(row.label, row.seeds) for row in result.rows] == [
        ("mfd (my_losses.py=c3)", (0, 1)),
        ("mfd (my_losses.py=d4)", (1,)),
    ]
    more = [row_file("d.json", other(**two, steps=800)), row_file("e.json", other(seeds=[2]))]
    assert [row.label for row in compare([*files, *more]).rows] == [
        "mfd (my_losses.py=c3, my_layers.py=ab)",
        "mfd (my_losses.py=d4, my_layers.py=ab, steps=400)",
        "mfd (my_losses.py=d4, my_layers.py=ab, steps=800)",
        "mfd",  # written before code was recorded
    ]


def test_a_row_of_unknown_recipe_joins_the_one_of_its_label(row_file):
    known = [{"recipe": {"method": "mfd", "protocol": "paper", "steps": 400, "lr": lr}} for lr in (0.01, 0.001)]
    first, second = row_file("a.json", {**ROW, **known[0]}), row_file("b.json", other(**known[1]))
    third = row_file("c.json", other(seeds=[2]))
    (row,) = compare([first, third]).rows
    assert (row.label, row.seeds) == ("mfd", (0, 2))
    assert not row.recipe  # not known of all its runs
    assert [(row.label, row.seeds) for row in compare([third, first, second]).rows] == [
        ("mfd (lr=0.01)", (0,)), ("mfd (lr=0.001)", (1,)), ("mfd", (2,)),
    ]  # fmt: skip


def test_rows_with_other_budgets_stay_apart_and_say_so(row_file):
    result = compare([row_file("a.json"), row_file("b.json", other(steps=800))])
    assert [row.label for row in result.rows] == ["mfd (steps=400)", "mfd (steps=800)"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data": "cifar10s"}, "data 'digits-s' in some, 'cifar10s' in others"),
        ({"protocol": "honest"}, "protocol 'paper' in some, 'honest' in others"),
        ({"tested_on": "def"}, "their test samples or labels differ"),
    ],
)
def test_other_data_and_protocols_are_refused(row_file, changes, said):
    first, second = row_file("a.json", tested_on="abc"), row_file("b.json", other(), **changes)
    with pytest.raises(UsageError, match=said):
        compare([first, second])


def test_a_seed_that_occurs_twice_is_refused(row_file):
    with pytest.raises(UsageError, match="two rows of mfd hold seed 0"):
        compare([row_file("a.json"), row_file("b.json")])


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "null", "{}", '{"data": 1, "protocol": "p", "made_with": [], "rows": [{"method": "m"}]}',
        *(json.dumps({"data": "a", "protocol": "p", "made_with": [], "rows": [{**ROW, "recipe": recipe}]})
          for recipe in ([1], "lr", {"lr": 1}, {"method": "mfd", "protocol": "paper", "set": 3})),
    ],
)  # fmt: skip
def test_other_json_is_refused_with_the_command_that_writes_it(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"a\.json does not hold rows .*compare --format json"):
        compare(path)


def test_as_many_values_as_seeds(row_file):
    with pytest.raises(DataError, match="mfd has 2 seeds but 1 values of accuracy"):
        compare(row_file("a.json", {**ROW, "seeds": [0, 1]}))
