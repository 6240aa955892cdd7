"""Reading JSON and YAML that anyone may have written: whatever is wrong with it is a ValueError of one line."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

_DECIMAL = re.compile(r"[-+]?\d+")
_DEEPEST = 64
_MOST_REFERENCES = 50  # to anchors; a few dozen that refer to each other make billions of values
_TOO_DEEP = f"it is nested more than {_DEEPEST} levels deep"


def from_json(text: str | bytes) -> Any:
    """Return what a JSON text holds.

    Raises:
        ValueError: if it is not JSON, or is nested too deeply.

    Example:
        >>> from_json("[1, 2]")
        [1, 2]
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def from_yaml(text: str) -> Any:
    """Return what a YAML text holds: plain values, lists and mappings.

    Raises:
        ValueError: if it is not YAML, holds a name twice or a tag that would make another object, or is nested too
            deeply.

    Example:
        >>> from_yaml("lr: 0.1")
        {'lr': 0.1}
    """
    import yaml

    loader = _loader()
    try:
        depth = references = 0
        for event in yaml.parse(text, Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            references += isinstance(event, yaml.AliasEvent)
            if depth > _DEEPEST:
                raise ValueError(_TOO_DEEP)
            if references > _MOST_REFERENCES:
                raise ValueError(f"it refers to parts of itself more than {_MOST_REFERENCES} times")
        content = yaml.load(text, Loader=loader)
        json.dumps(content, default=str, skipkeys=True)  # fails if a part contains itself
    # PyYAML's own constructors raise any of these: for a date in month 13, `!!bool 3`, a number of 5,000 digits
    except (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        raise ValueError(" ".join(str(error).split()) or type(error).__name__) from None
    return content


@cache
def _loader() -> Any:
    """Return a class that reads YAML and refuses a name that a mapping holds twice."""
    import yaml

    # With libyaml, PyYAML reads ten times faster, but crashes on content that is nested very deeply.
    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # chosen at run time
        def __init__(self, text: str) -> None:
            super().__init__(text)
            self.seen: set[Any] = set()

        def flatten_mapping(self, node: Any) -> None:
            """Look at the names before those of other mappings (``<<``), which they replace, are joined to them."""
            if node not in self.seen:
                self.seen.add(node)
                names = set()
                for key, _ in node.value:
                    name = (key.tag, key.value) if isinstance(key, yaml.ScalarNode) else key
                    if name in names:
                        raise ValueError(f"{key.value!r} occurs twice, again in line {key.start_mark.line + 1}")
                    names.add(name)
            super().flatten_mapping(node)

        def construct_yaml_int(self, node: Any) -> Any:
            """Read 010 as 10 and 1:30 as a text, as YAML 1.2 does; in YAML 1.1 they are 8 and 90."""
            if ":" in node.value:
                return node.value
            return int(node.value) if _DECIMAL.fullmatch(node.value) else super().construct_yaml_int(node)

    Loader.add_constructor("tag:yaml.org,2002:int", Loader.construct_yaml_int)
    return Loader
