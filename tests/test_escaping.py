from __future__ import annotations

import pickle

import pytest

from fairdistill.cli.main import main
from fairdistill.errors import DataError, FairdistillError, UsageError
from fairdistill.escaping import brief, cell, one_line, shortened, shown
from fairdistill.text.tables import aligned, latex, markdown
from fairdistill.text.telling import tell
from fairdistill.training.progress.console import RunConsole

ODD = ["\x1b[2J", "\x07", "\r", "\x9b2J", "\x7f", "\u202e", "\u2066", "\u2028", "\udce9", "\0"]
HARMLESS = "é, 日本, עברית, 👩\u200d🔬 and (half\\written)"


@pytest.mark.parametrize("odd", ODD)
def test_what_commands_a_terminal_is_escaped(odd):
    for escaped in (shown(f"a{odd}b\n\tc"), one_line(f"a{odd}b")):
        assert odd[0] not in escaped
        assert escaped.startswith("a\\")
        assert "b" in escaped
    assert shown(f"a{odd}b\n\tc").endswith("b\n\tc")


def test_other_text_stays():
    assert shown(HARMLESS) == one_line(HARMLESS) == brief(HARMLESS) == HARMLESS
    assert one_line("two\nlines\tand a tab") == r"two\nlines\tand a tab"


def test_a_name_does_not_break_a_table():
    rows = [("class", "rows"), ("a\nb\x1b", "7")]
    assert aligned(rows) == ["class     rows", r"a\nb\x1b     7"]
    assert len(markdown(rows).splitlines()) == 3
    assert "\x1b" not in latex(rows, "")


@pytest.mark.parametrize("kind", [DataError, UsageError])
def test_an_error_fits_on_a_screen_and_keeps_its_remedy(kind):
    many = str(kind("first line\n" + "name\n" * 5000 + "rename them"))
    assert len(many.splitlines()) <= 10
    assert many.startswith("first line")
    assert many.endswith("rename them")
    long = str(kind(f"unknown class {'9 ' * 50_000}; choose another"))
    assert len(long) < 2100
    assert long.endswith("choose another")
    assert "[... 98," in long
    assert str(kind("a\x1b[31mb")) == r"a\x1b[31mb"
    assert str(pickle.loads(pickle.dumps(kind("short")))) == "short"
    assert str(FairdistillError()) == ""


def test_a_long_value_is_cut_and_what_follows_stays():
    value = "9" * 100_000
    assert str(DataError(f"unknown class '{value}'; choose another")) == f"unknown class '{'9' * 99}…'; choose another"
    assert shortened(f"{value}.\n{value}") == f"{'9' * 100}….\n{'9' * 100}…"
    assert shortened("9" * 500) == cell("9" * 500) == "9" * 500
    assert aligned([("class", "rows"), (value, "7")])[1] == f"{'9' * 100}…     7"


def test_lines_for_the_one_who_waits_are_escaped(capsys):
    tell("cat\x1b[2J")
    with RunConsole(quiet=False, title="a\x1b]0;b") as console:
        console.say("dog\x1b[2J")
    assert capsys.readouterr().err == "cat\\x1b[2J\na\\x1b]0;b: dog\\x1b[2J\n"
    tell(f"class '{'y' * 100_000}' has 1 row")
    assert capsys.readouterr().err == f"class '{'y' * 99}…' has 1 row\n"


@pytest.fixture
def table(tmp_path):
    """Predictions whose class, group and id hold sequences that command a terminal."""
    rows = ["id,label,group,pred"]
    for row in range(80):
        label, group = ("cat\x1b[2J", "dog")[row % 2], ("x\x9b1A", "y\u202e")[row // 2 % 2]
        rows.append(f"{row}\x07,{label},{group},{label if row % 3 else 'dog'}")
    path = tmp_path / "predictions.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def harmless(text: str) -> bool:
    return not any(odd[0] in text for odd in ODD)


def test_an_audit_shows_odd_names_escaped(table, tmp_path, capsys):
    main(["audit", str(table), "--out", str(tmp_path / "audit.json")])
    captured = capsys.readouterr()
    assert harmless(captured.out + captured.err)
    assert r"cat\x1b[2J" in captured.out


def test_an_error_shows_odd_names_escaped(table, capsys):
    for given in (["--classes", "cat,dog"], ["--group", "gr\x1boup"], ["--label", "id"]):
        assert main(["audit", str(table), *given]) != 1
        captured = capsys.readouterr()
        assert harmless(captured.out + captured.err)
