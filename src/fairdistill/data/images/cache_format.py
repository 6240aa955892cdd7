"""Whether images are cached as raw pixels, or as JPEG where these would fill the disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fairdistill.data.images.cache import ImageCache
from fairdistill.data.images.compressing import expected_bytes, free_bytes
from fairdistill.data.images.reading import Storage
from fairdistill.data.images.sources import Source
from fairdistill.data.images.view import View

_SHARE = 0.5  # of the free disk space, which raw pixels may take
_WORTH = 0.7  # of the raw size, that JPEG must be expected to stay below


def compressing(storage: Storage, source: Source, wanted: Sequence[tuple[View, Sequence[str]]]) -> Storage:
    """Return where images are kept, with the format of their cache decided: raw pixels, or JPEG.

    What is cached already stays in its format. Otherwise raw pixels are kept, unless they would take more than half of
    the free disk space and JPEG much less.

    Args:
        storage: where they are kept.
        source: where the files are.
        wanted: the names of the files for each view.
    """
    as_jpeg = replace(storage, how=replace(storage.how, jpeg=True), opened={})
    if storage.folder is None or storage.format == "raw":
        return storage
    if storage.format == "jpeg" or _complete(as_jpeg, source, wanted):
        return as_jpeg
    sizes = [(len(set(names)), view.height * view.width * 3) for view, names in wanted]
    raw, small = (sum(count * each(size) for count, size in sizes) for each in (int, expected_bytes))
    # What another process is writing has taken its space already: both must decide alike.
    left = _missing_bytes(storage, source, wanted)
    return storage if left <= _SHARE * free_bytes(storage.folder) or small > _WORTH * raw else as_jpeg


def _complete(storage: Storage, source: Source, wanted: Sequence[tuple[View, Sequence[str]]]) -> bool:
    caches = [_cache(storage, source, view) for view, _ in wanted]
    return all(cache.folder.exists() for cache in caches) and not _missing_bytes(storage, source, wanted)


def _missing_bytes(storage: Storage, source: Source, wanted: Sequence[tuple[View, Sequence[str]]]) -> int:
    missing = 0
    for view, names in wanted:
        cache, different = _cache(storage, source, view), list(set(names))
        begun = cache.folder.exists()
        missing += cache.missing_bytes(different) if begun else len(different) * view.height * view.width * 3
    return missing


def _cache(storage: Storage, source: Source, view: View) -> ImageCache:
    assert storage.folder is not None
    return ImageCache(storage.folder, source, view=view, how=storage.how, workers=1)
