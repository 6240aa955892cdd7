"""Options shared by all data sets of image files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fairdistill.contract import check_at_least_one, check_types
from fairdistill.data.recipe import Recipe
from fairdistill.errors import UsageError
from fairdistill.system.folders import image_cache_folder
from fairdistill.system.threads import processors

if TYPE_CHECKING:
    from fairdistill.data.images.reading import Storage

_NOT_IDENTITY: dict[str, Any] = {"identity": False}  # runs that differ only in this read the same data


@dataclass(frozen=True, kw_only=True)
class FileOptions:
    """Options of all data sets whose images are files."""

    cache: bool = field(default=True, metadata=_NOT_IDENTITY)
    """Decode each image once and cache it on disk, instead of decoding it every time it is read."""
    cache_format: Literal["auto", "raw", "jpeg"] = field(default="auto", metadata=_NOT_IDENTITY)
    """How decoded images are cached: raw (their pixels), jpeg (quality 95: much smaller, slower to read, and pixels
    change a little), or auto: jpeg if raw pixels would take more than half of the free disk space."""
    image_cache: str | None = field(default=None, metadata={**_NOT_IDENTITY, "path": True})
    """Folder of the image caches; default: fairdistill/images in $XDG_CACHE_HOME or ~/.cache."""
    workers: int | None = field(default=None, metadata=_NOT_IDENTITY)
    """Number of threads that decode images; default: one per processor, shared by the processes of torchrun."""
    skip_broken: bool = False
    """Skip, count and list images that cannot be decoded, instead of stopping."""

    def __post_init__(self) -> None:
        check_types(self)
        check_at_least_one(self, "workers")
        if self.cache_format == "jpeg" and not self.cache:
            raise UsageError("--cache-format jpeg needs the image cache; drop it or --no-cache")

    @property
    def recipe(self) -> Recipe:
        """How the images are preprocessed; each data set has its own."""
        raise NotImplementedError

    @property
    def storage(self) -> Storage:
        """Where and how decoded images are kept."""
        from fairdistill.data.images.reading import Storage
        from fairdistill.system.processes import launched_here

        folder = Path(self.image_cache) if self.image_cache else image_cache_folder()
        kept = folder.absolute() if self.cache else None
        workers = self.workers or max(1, processors() // launched_here())
        return Storage(kept, workers, format=self.cache_format)
