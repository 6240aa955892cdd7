"""Images of several sources, as one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping

from fairdistill.data.images.sources import Source
from fairdistill.errors import DataError

_MOST_PARTS = 2**32  # of one source


class _Several(ABC):
    """Images of several sources.

    Args:
        where: what messages and the key of a cache call them together.
        sources: all of them.
    """

    def __init__(self, where: str, sources: Iterable[Source]) -> None:
        self.where = where
        different = {id(source): source for source in sources}
        self._first_parts = {key: at * _MOST_PARTS for at, key in enumerate(different)}

    @abstractmethod
    def _place(self, name: str) -> tuple[Source, str] | None:
        """Return the source of an image and its name there, None if there is no such image."""

    def _found(self, name: str) -> tuple[Source, str]:
        place = self._place(name)
        if place is None:
            raise DataError("there is no such row")
        return place

    def signature(self, name: str) -> tuple[int, int]:
        """Return the size and time of the file that holds an image."""
        source, inner = self._found(name)
        return source.signature(inner)

    def size(self, name: str) -> int:
        """Return how many bytes reading an image takes."""
        source, inner = self._found(name)
        return source.size(inner)

    def part(self, name: str) -> int | None:
        """Return which part of which source an image is in."""
        place = self._place(name)
        if place is None:
            return None
        part = place[0].part(place[1])
        return None if part is None else self._first_parts[id(place[0])] + part

    def read(self, name: str) -> bytes:
        """Return an image's bytes."""
        source, inner = self._found(name)
        return source.read(inner)


class Joined(_Several):
    """Images of several sources, by names of their own.

    Args:
        where: what messages and the key of a cache call them together.
        places: by name, the source of each image and its name there.
    """

    def __init__(self, where: str, places: Mapping[str, tuple[Source, str]]) -> None:
        super().__init__(where, (source for source, _ in places.values()))
        self._places = places

    def _place(self, name: str) -> tuple[Source, str] | None:
        return self._places.get(name)


class Prefixed(_Several):
    """Images of several sources, by the name of the source and theirs; no image needs memory of its own.

    Args:
        where: what messages and the key of a cache call them together.
        sources: by name.
    """

    def __init__(self, where: str, sources: Mapping[str, Source]) -> None:
        super().__init__(where, sources.values())
        self._sources = sources

    @staticmethod
    def name(source: str, inner: str) -> str:
        """Return the name of an image of a source."""
        return f"{source}: {inner}"

    def _place(self, name: str) -> tuple[Source, str] | None:
        source, colon, inner = name.partition(": ")
        while colon and source not in self._sources:  # the name of a file may have a colon, too
            more, colon, inner = inner.partition(": ")
            source = self.name(source, more)
        return (self._sources[source], inner) if colon else None
