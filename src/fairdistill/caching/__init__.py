"""Features of a trained network, computed once for each image and kept on disk."""

from __future__ import annotations

from fairdistill.caching.keys import base_key, place_key
from fairdistill.caching.store import Feature, FeatureStore
from fairdistill.caching.stored import Stored

__all__ = ["Feature", "FeatureStore", "Stored", "base_key", "place_key"]
