"""An embedding as text for a terminal, in percent."""

from __future__ import annotations

import math

from fairdistill.embedding.result import EmbedResult
from fairdistill.metrics.permuted_groups import AgainstChance
from fairdistill.text.numbers import percent, percentage
from fairdistill.text.sentences import capitalized
from fairdistill.text.tables import aligned


def render(result: EmbedResult) -> str:
    """Return the result of :func:`fairdistill.embedding.embed` as text for a terminal, in percent."""
    settings, networks = result.settings, result.networks
    sizes = [size for cells in result.per_cell for size in cells if size]
    each = f"{min(sizes):,}" if min(sizes) == max(sizes) else f"{min(sizes):,} to {max(sizes):,}"
    divergences = ", ".join(f"{network.kl_divergence:.3f} ({who})" for who, network in networks.items())
    notes = [
        f"class {name} has no probe: {of_class.undefined}"
        for name, of_class in zip(result.class_names, result.student.leakage.by_class, strict=True)
        if of_class.undefined is not None
    ]
    lines = [
        f"t-SNE of the {result.tap} features in {settings.dims} dimensions: {result.n:,} test images, "
        f"{each} from each subgroup (one class of one group)",
        f"perplexity {settings.perplexity:.4g}, {settings.iterations} iterations, {settings.metric} distance, "
        f"seed {settings.seed}; KL divergence {divergences}",
        "",
        "How often the group can be read from the features within a class, over all test images:",
        *aligned(_leakage_table(result)),
        "The majority is the share of the largest group in a class, the accuracy of always guessing that group.",
        "",
        "With every group counting equally, and what features that reveal nothing would show (permuted groups):",
        *aligned(_against_chance(result)),
        "The further a value is above chance, the more the features reveal about the group. If it is within the 95%",
        "range of chance, a linear model finds no trace of the group.",
    ]
    notes += result.notes
    if notes:
        lines += ["", *(f"{capitalized(note)}." for note in notes)]
    return "\n".join([*lines, "", ", ".join(f"{name} {version}" for name, version in result.made_with.items())])


def _leakage_table(result: EmbedResult) -> list[tuple[str, ...]]:
    table: list[tuple[str, ...]] = [("class", "images", "majority", *(f"{who}'s probe" for who in result.networks))]
    leaks = [network.leakage for network in result.networks.values()]
    own = result.student.leakage
    for at, name in enumerate(result.class_names):
        probes = [percentage(leak.by_class[at].probe) for leak in leaks]
        table.append((name, f"{own.by_class[at].rows:,}", percentage(own.by_class[at].majority), *probes))
    table.append(("all", f"{own.rows:,}", percentage(own.majority), *(percentage(leak.probe) for leak in leaks)))
    return table


def _against_chance(result: EmbedResult) -> list[tuple[str, ...]]:
    table: list[tuple[str, ...]] = [("", "balanced accuracy", "by chance", "p", "AUC", "by chance", "p")]
    for who, network in result.networks.items():
        leakage = network.leakage
        table.append((who, *_columns(leakage.balanced), *_columns(leakage.auc)))
    return table


def _columns(found: AgainstChance) -> tuple[str, str, str]:
    if math.isnan(found.value):
        return "undefined", "", ""
    chance = f"{percent(found.chance)} [{percent(found.chance_low)}, {percent(found.chance_high)}]"
    return percent(found.value), chance, f"{found.p_value:.3f}"
