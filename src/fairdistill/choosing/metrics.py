"""The metrics that a rule can name: their names in a rule, their titles, and the direction in which each improves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

KEY = r"""\[\s*(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\[\]"']+?)\s*\]"""
"""A class or a group in brackets, in quotes or not."""

NAME = rf"[A-Za-z_]\w*(?:{KEY})*"
"""A metric, for example ``deo_a`` or ``recall[cat]``."""


@dataclass(frozen=True)
class MetricKind:
    """One metric, or one for each class, group or subgroup.

    Attributes:
        title: its name in texts.
        higher: whether higher is better.
        per: what it exists for each of: classes, groups, or subgroups, a class and a group; empty for a single metric.
    """

    title: str
    higher: bool
    per: tuple[Literal["class", "group"], ...] = ()


KINDS: Mapping[str, MetricKind] = {
    "accuracy": MetricKind("Accuracy", True),
    "balanced_accuracy": MetricKind("Balanced accuracy", True),
    "class_balanced_accuracy": MetricKind("Class-balanced accuracy", True),
    "worst_group": MetricKind("Worst group", True),
    "worst_subgroup": MetricKind("Worst subgroup", True),
    "deo_a": MetricKind("DEO_A", False),
    "deo_m": MetricKind("DEO_M", False),
    "deo_a_complete": MetricKind("DEO_A", False),
    "deo_m_complete": MetricKind("DEO_M", False),
    "demographic_parity": MetricKind("Demographic parity difference", False),
    "equalised_odds": MetricKind("Equalized odds difference", False),
    "impact_ratio": MetricKind("Impact ratio", True),
    "calibration_error": MetricKind("Calibration error", False),
    "recall[CLASS]": MetricKind("Recall of {}", True, ("class",)),
    "recall[CLASS][GROUP]": MetricKind("Recall of {} in {}", True, ("class", "group")),
    "accuracy[GROUP]": MetricKind("Accuracy of {}", True, ("group",)),
    "deo[CLASS]": MetricKind("DEO of {}", False, ("class",)),
}
"""Every metric, by its name; CLASS and GROUP stand for names of the data. :class:`Measures` computes them."""


_ALSO = {"equalized_odds": "equalised_odds", "worst_cell": "worst_subgroup"}
"""Names that are read as others: the American spelling, and what ``audit.json`` calls the worst subgroup."""


@dataclass(frozen=True)
class Metric:
    """A metric as a rule names it.

    Attributes:
        kind: its key in ``KINDS``.
        of: the class, the group, or the class and the group that it is of.

    Example:
        >>> str(Metric("recall[CLASS]", ("cat",))), Metric("deo_a").title, Metric("deo_a").higher
        ('recall[cat]', 'DEO_A', False)
    """

    kind: str
    of: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Its name in texts."""
        return KINDS[self.kind].title.format(*self.of)

    @property
    def higher(self) -> bool:
        """Whether higher is better."""
        return KINDS[self.kind].higher

    def __str__(self) -> str:
        return self.kind.partition("[")[0] + "".join(f"[{_written(each)}]" for each in self.of)


def parse_metric(text: str) -> Metric | None:
    """Return the metric that a text names; None if it names none.

    Names of classes and groups are taken as they are in the data, without the spaces around them. Names with brackets
    or quotes are written in quotes; a quote or a backslash there follows a backslash.

    Example:
        >>> parse_metric("Recall[black cat]"), parse_metric('deo["a [b]"]').of, parse_metric("f1")
        (Metric(kind='recall[CLASS]', of=('black cat',)), ('a [b]',), None)
    """
    if re.fullmatch(NAME, text.strip()) is None:
        return None
    name = re.match(r"\w+", text.strip())
    assert name is not None, "it matches NAME"
    of = tuple(map(_read, re.findall(KEY, text)))
    wanted = name[0].lower()
    kind = next((each for each in _kinds(_ALSO.get(wanted, wanted)) if len(KINDS[each].per) == len(of)), None)
    return None if kind is None else Metric(kind, of)


def _kinds(name: str) -> list[str]:
    return [kind for kind in KINDS if kind.partition("[")[0] == name]


def _read(key: str) -> str:
    inner = key[1:-1].strip()
    return re.sub(r"\\(.)", r"\1", inner[1:-1]) if inner[:1] in ('"', "'") else inner


def _written(name: str) -> str:
    if name and name == name.strip() and not re.search(r"""[\[\]"']""", name):
        return name
    return '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
