from __future__ import annotations

import dataclasses
from pathlib import Path

from fairdistill.contract import Result, key


@dataclasses.dataclass(frozen=True)
class Plain:
    low: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inner(Result):
    name: str = key("class")
    offsets: tuple[float, ...] | None = key(optional=True)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outer(Result):
    parts: tuple[Inner, ...]
    change: Plain | None
    by_name: dict[str, Plain]


def test_the_json_is_the_fields_in_their_order_with_their_keys():
    result = Outer(
        parts=(Inner(name="cat"), Inner(name="dog", offsets=(0.5,))), change=None, by_name={"a": Plain(low=1.0)}
    )
    assert result.to_dict() == {
        "parts": [{"class": "cat"}, {"class": "dog", "offsets": [0.5]}],
        "change": None,
        "by_name": {"a": {"low": 1.0}},
    }
    assert list(result.to_dict()) == ["parts", "change", "by_name"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Written(Result):
    run: Path
    out: Path = key(written=False)


def test_a_field_may_be_kept_out_of_the_json_and_a_path_is_a_text():
    result = Written(run=Path("out/run"), out=Path("out"))
    assert result.to_dict() == {"run": "out/run"}
    assert result.out == Path("out")


class Shown(Result):
    def text(self):
        return "<b>5 < 6</b>"


def test_a_notebook_shows_the_text_and_takes_nothing_in_it_for_html():
    assert Shown()._repr_html_() == "<pre>&lt;b&gt;5 &lt; 6&lt;/b&gt;</pre>"
    assert str(Shown()) == "<b>5 < 6</b>"
