"""A t-SNE picture of features, and what they tell of the group."""

from __future__ import annotations

from fairdistill.embedding.embed import EmbedOptions, embed

__all__ = ["EmbedOptions", "embed"]
