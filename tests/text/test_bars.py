from __future__ import annotations

import io

import pytest

from fairdistill.text.bars import bar, can_show_bars


@pytest.mark.parametrize(
    ("share", "drawn"), [(0.0, ""), (1.0, "████"), (1.5, "████"), (-1.0, ""), (0.5, "██"), (1 / 32, "▏")]
)
def test_a_bar_is_as_long_as_its_share(share: float, drawn: str) -> None:
    assert bar(share, width=4) == drawn


def test_nothing_is_drawn_for_an_undefined_share() -> None:
    assert bar(float("nan")) == ""


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("encoding", "able"), [("utf-8", True), ("ascii", False), ("latin-1", False)])
def test_only_terminals_with_the_characters_show_bars(monkeypatch, encoding: str, able: bool) -> None:
    monkeypatch.setattr("sys.stdout", Terminal(io.BytesIO(), encoding=encoding))
    assert can_show_bars() is able


def test_files_and_pipes_get_no_bars(monkeypatch) -> None:
    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert not can_show_bars()
