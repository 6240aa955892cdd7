"""The image paths of a table: which file each of them means."""

from __future__ import annotations

import os
import posixpath
import re
import shlex
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from fairdistill.data.images.remarks import named
from fairdistill.errors import DataError
from fairdistill.tables.distinct import distinct

EXTENSIONS = frozenset({
    ".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp",
})  # fmt: skip

_SAMPLED = 20  # missing files that must exist elsewhere for another folder or extension to be suggested
_FOLDERS = 300  # folders that are looked through for them
# A relative path without dots or doubled slashes cannot leave its folder; resolving the others is ten times slower.
_DRIVE = re.compile(r"[A-Za-z]:[\\/]").match
_PLAIN_PATH = re.compile(r"[^/.][^/]*(/[^/.][^/]*)*").fullmatch


def relative(value: str, root: str) -> str | None:
    """Return a path relative to ``root`` (absolute, with a slash at the end), normalized; None if it is outside."""
    if _PLAIN_PATH(value):
        return value
    full = posixpath.normpath(posixpath.join(root, value))
    return full[len(root) :] if full.startswith(root) else None


def common_folder(values: Sequence[str], start: str) -> Path | None:
    """Return the folder that holds all of these paths, if all are absolute or all lead out of a folder.

    Args:
        values: the paths.
        start: the folder that they are relative to, absolute.

    Returns:
        None if only some of them do, or there is no such folder.
    """
    if not (all(value.startswith("/") for value in values) or all(map(_leads_out, values))):
        return None
    full = [posixpath.normpath(posixpath.join(start, value)) for value in values]
    folder = Path(posixpath.commonpath([posixpath.dirname(value) for value in full]))
    return folder if folder.is_dir() else None


def _leads_out(value: str) -> bool:
    return posixpath.normpath(value).startswith("../")


@dataclass
class Listing:
    """The files below a folder, read folder by folder when they are first asked for."""

    root: str
    _folders: dict[str, frozenset[str]] = field(default_factory=dict)
    _alike: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    _meant: dict[str, str | None] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Return whether there is such a file."""
        folder, _, last = name.rpartition("/")
        return last in self._names(folder)

    def alike(self, name: str) -> str | None:
        """Return the one file whose name differs only in the case or form of letters or by an image extension."""
        written, _, last = name.rpartition("/")
        folder = self._folder_alike(written)
        if folder is None:
            return None
        if folder not in self._alike:
            self._alike[folder] = {}
            for each in sorted(self._names(folder)):
                stem, extension = os.path.splitext(each)
                for key in {_key(each), *([_key(stem)] if extension.lower() in EXTENSIONS else [])}:
                    self._alike[folder].setdefault(key, []).append(each)
        found = self._alike[folder].get(_key(last), [])
        exact = [each for each in found if os.path.splitext(each)[0] == last] or found
        return posixpath.join(folder, exact[0]) if len(exact) == 1 else None

    def padded(self, names: Sequence[str]) -> str | None:
        """Return the file of the first name if each name is a number that one file has with more zeros before it."""
        stems = [PurePosixPath(name).stem for name in names]
        files = [each for each in self._names("") if os.path.splitext(each)[1].lower() in EXTENSIONS]
        found = {os.path.splitext(each)[0].lstrip("0") or "0": each for each in sorted(files)}
        if len(found) < len(files) or not all(stem.isdecimal() and stem in found for stem in stems):
            return None
        return found[stems[0]]

    def _folder_alike(self, folder: str) -> str | None:
        """Return the one folder whose path differs only in the case or form of letters."""
        if not folder or self._names(folder):
            return folder
        if folder not in self._meant:
            parent, _, last = folder.rpartition("/")
            above = self._folder_alike(parent)
            inside = () if above is None else self._names(above)
            found = [each for each in inside if _key(each) == _key(last)]
            self._meant[folder] = posixpath.join(above or "", found[0]) if len(found) == 1 else None
        return self._meant[folder]

    def _names(self, folder: str) -> frozenset[str]:
        if folder not in self._folders:
            try:
                self._folders[folder] = frozenset(os.listdir(os.path.join(self.root, folder)))
            except (OSError, ValueError):
                self._folders[folder] = frozenset()
        return self._folders[folder]


def _key(text: str) -> str:
    """Return what texts have in common that differ in the case of letters or their Unicode form."""
    return unicodedata.normalize("NFC", text.casefold())


@dataclass(frozen=True)
class Located:
    """Image paths after looking for their files.

    Attributes:
        names: names of files, object ``[N]``; those that do not exist stay as they were.
        missing: those that do not exist.
        notes: how paths were read that do not name a file as they are.
    """

    names: NDArray[np.object_]
    missing: NDArray[np.object_]
    notes: tuple[str, ...]


def locate(names: NDArray[np.object_], folder: Path) -> Located:
    """Find the files that paths mean, despite blanks at the ends, backslashes, ``%20``, letters or no extension."""
    listing = Listing(str(folder.absolute()))
    of_row, paths = distinct(names)
    absent = [at for at, path in enumerate(paths.tolist()) if not listing.has(path)]
    if not absent:
        return Located(names, names[:0], ())
    rows, found, missing = np.bincount(of_row), paths.copy(), np.zeros(len(paths), bool)
    counts, examples = Counter[str](), dict[str, str]()
    for at in absent:
        meant = _meant(paths[at], listing)
        if meant is None:
            missing[at] = True
            continue
        found[at], how = meant
        counts[how] += int(rows[at])
        examples.setdefault(how, f"{paths[at]!r} as {found[at]}")
    notes = tuple(
        f"{count:,} image path{'s were' if count > 1 else ' was'} read {how} (for example {examples[how]})"
        for how, count in counts.items()
    )
    return Located(found[of_row], names[missing[of_row]], notes)


def _meant(name: str, listing: Listing) -> tuple[str, str] | None:
    """Return the file that a path means, and how it was read."""
    root = listing.root.rstrip("/") + "/"
    bare, slashed = name.strip(), name.replace("\\", "/")
    forms = [(name, ""), (bare, "without blanks at the ends"), (slashed, "with slashes for backslashes")]
    forms.append((slashed.strip(), "with slashes for backslashes and without blanks at the ends"))
    forms.append((unquote(name), "with %20 and the like decoded"))
    for form, how in forms:
        inside = relative(form, root) if form else None
        if inside is None:
            continue
        if listing.has(inside):
            return inside, how
        alike = listing.alike(inside)
        if alike is not None:
            last = _difference(inside, alike)
            return alike, f"{how} and {last}" if how else last
    return None


def _difference(name: str, file: str) -> str:
    """Return how the name of a file differs from a name that means it."""
    if _key(name) != _key(file):
        return f"with {os.path.splitext(file)[1]} appended"
    same = name.casefold() == file.casefold()
    return "ignoring the case of letters" if same else "in another Unicode form of the same letters"


def moved(values: Sequence[str], folder: Path) -> str:
    """Return where the files of absolute paths are now, as the end of a message; empty if they are not found nearby."""
    written = [value.strip() for value in values[:_SAMPLED]]
    sample = [value.replace("\\", "/") if _DRIVE(value) else value for value in written]
    if not (all(value.startswith("/") for value in sample) or all(map(_DRIVE, sample))):
        return ""
    parts = [PurePosixPath(value).parts for value in sample]
    shared = PurePosixPath(posixpath.commonpath([posixpath.dirname(value) for value in sample])).parts
    for other in (folder.absolute(), *_near(folder.absolute())):
        listing = Listing(str(other))
        for cut in range(1, len(shared) + 1):
            if all(listing.has(posixpath.join(*each[cut:])) for each in parts):
                old = posixpath.join(*shared[:cut])
                old = old.replace("/", "\\") if "\\" in written[0] and _DRIVE(old) else old
                return f"; the same files seem to be in {other}, so replace {old} by that"
    return ""


def missing_text(located: Located, folder: Path) -> str:
    """Return which files do not exist, where they were looked for, and what would find them."""
    missing = located.missing
    do = "does" if len(missing) == 1 else "do"
    text = f"{len(missing):,} of {len(located.names):,} images {do} not exist in {folder.absolute()}: {named(missing)}"
    return text + _suggestion(missing[:_SAMPLED].tolist(), folder.absolute())


def _suggestion(sample: list[str], folder: Path) -> str:
    elsewhere = moved(sample, folder)  # paths of Windows, which are not absolute here
    if elsewhere:
        return elsewhere
    for other in _near(folder):
        listing = Listing(str(other))
        if all(_meant(name, listing) for name in sample):
            return f"; they exist in {other}, so pass --data-root {shlex.quote(str(other))}"
    listing = Listing(str(folder))
    instead = [listing.alike(posixpath.splitext(name.strip().replace("\\", "/"))[0]) for name in sample]
    extensions = {PurePosixPath(name).suffix for name in instead if name is not None}
    if None not in instead and len(extensions) == 1:
        return f"; files with the extension {extensions.pop()} exist instead, so correct it in the table"
    for other in (folder, *_near(folder)):
        padded = Listing(str(other)).padded(sample)
        if padded is not None:
            return (
                f"; {other} has {padded} for {sample[0]}, so a spreadsheet seems to have dropped leading zeros; write "
                "the names as text, with their zeros and the extension"
            )
    return ""


def _near(folder: Path) -> Iterator[Path]:
    """Yield the folders around a folder: three above it, then those inside it, level by level."""
    yield from folder.parents[:3]
    level, left = [folder], _FOLDERS
    while level and left:
        inner = []
        for each in level:
            try:
                inner += sorted(entry.path for entry in os.scandir(each) if entry.is_dir())[:left]
            except OSError:
                continue
        level = [Path(path) for path in inner[:left]]
        left -= len(level)
        yield from level


def check_located(located: Located, folder: Path, *, where: str, skip: bool) -> tuple[str, ...]:
    """Return the notes of located paths.

    Raises:
        DataError: if files do not exist and are not to be skipped, or none exists.
    """
    if not len(located.missing):
        return located.notes
    text = missing_text(located, folder)
    if skip and len(located.missing) < len(located.names):
        return (*located.notes, text)
    remedy = (
        "" if "; " in text else "; correct the paths, or name the folder that they are relative to with --data-root"
    )
    skipping = "" if skip else ", or skip them with --skip-broken"
    raise DataError(f"{where}: {text}{remedy}{skipping}")
