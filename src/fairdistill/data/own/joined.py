"""Images of several sources, as one."""

from __future__ import annotations

from fairdistill.data.images.sources import Source
from fairdistill.errors import DataError

_MOST_PARTS = 2**32  # of one source


class Joined:
    """Images of several sources, by names of their own.

    Args:
        where: what messages and the key of a cache call them together.
        places: by name, the source of each image and its name there.
    """

    def __init__(self, where: str, places: dict[str, tuple[Source, str]]) -> None:
        self.where = where
        self._places = places
        sources = dict.fromkeys(id(source) for source, _ in places.values())
        self._first_parts = {source: at * _MOST_PARTS for at, source in enumerate(sources)}

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

    def part(self, name: str) -> int | None:
        """Return which part of which source an image is in."""
        if name not in self._places:
            return None
        source, inner = self._places[name]
        part = source.part(inner)
        return None if part is None else self._first_parts[id(source)] + part

    def read(self, name: str) -> bytes:
        """Return an image's bytes."""
        self.signature(name)
        source, inner = self._places[name]
        return source.read(inner)
