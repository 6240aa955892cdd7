"""The command ``embed``."""

from __future__ import annotations

from fairdistill.cli.command import Command, parse
from fairdistill.embedding import EmbedOptions

COMMAND = Command(
    name="embed",
    summary="Draw a t-SNE map of a run's test images and measure how well its features predict the group.",
    source="RUN",
    source_help="a finished run folder",
    examples=("embed runs/mfd",),
)


def run(arguments: list[str]) -> int:
    """Embed a run's features and print what they reveal."""
    given = parse(COMMAND, arguments, EmbedOptions)
    from fairdistill.embedding import embed

    print(embed(given.source, options=given.options(EmbedOptions)))
    print(f"\nWritten: {given.source}/embedding.json, {given.source}/features.npz")
    return 0
