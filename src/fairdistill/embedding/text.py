"""What an embedding says, as text for a terminal; percent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fairdistill.text.tables import aligned


def render(result: Mapping[str, Any]) -> str:
    """Return the result of :func:`embed` as text for the terminal, in percent."""
    networks = {who: result[who] for who in ("student", "teacher") if result[who] is not None}
    settings = result["settings"]
    sizes = [size for cells in result["per_cell"] for size in cells if size]
    each = f"{min(sizes):,}" if min(sizes) == max(sizes) else f"{min(sizes):,} to {max(sizes):,}"
    divergences = ", ".join(f"{of['kl_divergence']:.3f} ({who})" for who, of in networks.items())
    leaks = {who: of["leakage"] for who, of in networks.items()}
    means = "; ".join(
        f"{who}: probe {_percent(found['probe'])} against majority {_percent(found['majority'])}"
        for who, found in leaks.items()
    )
    notes = [
        f"class {name} has no probe: {of_class['undefined']}"
        for name, of_class in zip(result["class_names"], leaks["student"]["by_class"], strict=True)
        if of_class["undefined"] is not None
    ] + result["notes"]
    lines = [
        f"t-SNE of the {result['tap']} features in {settings['dims']} dimensions: {result['n']:,} test images, "
        f"{each} of each (class, group) cell",
        f"perplexity {settings['perplexity']:.4g}, {settings['iterations']} iterations, {settings['metric']} distance, "
        f"seed {settings['seed']}; KL divergence {divergences}",
        "",
        "Group read from the features within a class, all test images:",
        *aligned(_leakage_table(result["class_names"], leaks)),
        f"{means}.",
        "The majority is what naming the largest group of a class gets right. A probe above it reads the group from",
        "the features: the higher, the more they tell. At or below it, a linear model finds no trace of the group.",
    ]
    if notes:
        lines += ["", *(f"{note[0].upper()}{note[1:]}." for note in notes)]
    return "\n".join([*lines, "", ", ".join(f"{name} {version}" for name, version in result["made_with"].items())])


def _leakage_table(class_names: Sequence[str], leaks: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, ...]]:
    table: list[tuple[str, ...]] = [("class", "rows", "majority", *(f"{who}'s probe" for who in leaks))]
    lines = {who: [*found["by_class"], found] for who, found in leaks.items()}
    for at, name in enumerate([*class_names, "all"]):
        own = lines["student"][at]
        probes = [_percent(of[at]["probe"]) for of in lines.values()]
        table.append((name, f"{own['rows']:,}", _percent(own["majority"]), *probes))
    return table


def _percent(share: float | None) -> str:
    return "undefined" if share is None else f"{100 * share:.1f}%"
