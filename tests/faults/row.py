"""What trying one kind of fault gave."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

Say = Callable[[str], None]


@dataclass
class Row:
    """A row of the table.

    Attributes:
        kind: of fault.
        tries: how often it was tried.
        failures: one line for each promise that was broken.
        seconds: how long it took.
    """

    kind: str
    tries: int = 0
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def record(self, what: str, broken: Iterable[str], say: Say, *, tries: int = 1) -> None:
        """Count tries, and say and keep what broke in them."""
        self.tries += tries
        for each in broken:
            self.failures.append(f"{what}: {each}")
            say(self.failures[-1])


def table(rows: Iterable[Row]) -> str:
    """Return rows as a Markdown table, with their sums."""
    rows = list(rows)
    tries, failures = sum(row.tries for row in rows), sum(len(row.failures) for row in rows)
    seconds = sum(row.seconds for row in rows)
    lines = ["| fault | tries | failures | seconds |", "| --- | ---: | ---: | ---: |"]
    lines += [f"| {row.kind} | {row.tries} | {len(row.failures)} | {row.seconds:,.0f} |" for row in rows]
    return "\n".join([*lines, f"| all | {tries} | {failures} | {seconds:,.0f} |"]) + "\n"
