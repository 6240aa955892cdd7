"""Directives whose content is computed: `measured` (rows of results/*.json) and `command-help` (what --help prints)."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from fairdistill.cli import main

RESULTS = Path(__file__).parents[2] / "results"
TABLES = {  # file: what it holds, for the first column
    "cifar10s-paper-h100": "CIFAR-10S, `paper`, 50 epochs",
    "cifar10s-honest": "CIFAR-10S, `honest`",
    "cifar10s-beyond": "CIFAR-10S, beyond the paper",
    "digits-s": "digits-s, `honest`",
}
BASELINE = "scratch"


def _value(row: dict[str, Any], metric: str) -> str:
    mean, sd = row[f"{metric}_mean"], row[f"{metric}_sd"]
    return f"{100 * mean:.2f}" + ("" if sd is None else f" ± {100 * sd:.2f}")


def rows_of(method: str) -> Iterator[str]:
    """Yield the lines of a Markdown table with every measured row of a method beside that of ``scratch``."""
    for file, title in TABLES.items():
        rows = json.loads((RESULTS / f"{file}.json").read_text(encoding="utf-8"))["rows"]
        for row in rows:
            if row["method"].split()[0] in (BASELINE, method) and any(each["method"] == method for each in rows):
                values = " | ".join(_value(row, metric) for metric in ("accuracy", "deo_a", "deo_m"))
                link = f"[{title}](../../results/{file}.md)"
                yield f"| {link} | `{row['method']}` | {row['n']} | {row['steps']:,} | {values} |"


class Measured(SphinxDirective):
    """The measured rows of a method: accuracy, DEO_A and DEO_M on test sets, in percent, mean ± sd over seeds."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        rows = list(rows_of(self.arguments[0]))
        if not rows:
            return self.parse_text_to_nodes("It is not in any of the tables in [results](../../results/README.md) yet.")
        head = [
            "| data | method | n | steps | accuracy | DEO_A | DEO_M |",
            "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
        ]
        return self.parse_text_to_nodes("\n".join([*head, *rows]))


class CommandHelp(SphinxDirective):
    """What ``fairdistill COMMAND --help`` prints."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return the text as it is printed."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            main([*self.arguments[0].split(), "--help"])
        return [nodes.literal_block(text=printed.getvalue(), language="text")]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("measured", Measured)
    app.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
