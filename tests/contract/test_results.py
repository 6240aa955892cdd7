from __future__ import annotations

import dataclasses

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
