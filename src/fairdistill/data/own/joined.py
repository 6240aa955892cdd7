"""Images of several sources, as one."""

from __future__ import annotations

from fairdistill.data.images.sources import Source
from fairdistill.errors import DataError


class Joined:
    """Images of several sources, by names of their own.

    Args:
        where: what messages and the key of a cache call them together.
        places: by name, the source of each image and its name there.
    """

    def __init__(self, where: str, places: dict[str, tuple[Source, str]]) -> None:
        self.where = where
        self._places = places

    def signature(self, name: str) -> tuple[int, int]:
        """Return the size and time of the file that holds an image."""
        if name not in self._places:
            raise DataError("there is no such row")
        source, inner = self._places[name]
        return source.signature(inner)

    def size(self, name: str) -> int:
        """Return how many bytes reading an image takes."""
        self.signature(name)
        source, inner = self._places[name]
        return source.size(inner)

    def read(self, name: str) -> bytes:
        """Return an image's bytes."""
        self.signature(name)
        source, inner = self._places[name]
        return source.read(inner)
