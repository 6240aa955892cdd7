"""A t-SNE plot of a run's features, and how much they reveal about the group."""

from __future__ import annotations

from fairdistill.embedding.embed import embed
from fairdistill.embedding.options import EmbedOptions
from fairdistill.embedding.result import EmbeddedImages, EmbeddedNetwork, EmbedResult

__all__ = ["EmbedOptions", "EmbedResult", "EmbeddedImages", "EmbeddedNetwork", "embed"]
