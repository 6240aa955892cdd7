"""Which rows are not independent: those that share a person, a picture or an id."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fairdistill.tables.bare_names import bare_name
from fairdistill.tables.columns import Columns
from fairdistill.tables.spelling import COMPARED, lookalike_notes, spelling_notes

_PEOPLE = frozenset({
    "patient", "subject", "person", "participant", "individual", "identity", "speaker", "donor", "proband", "patienten",
    "probanden", "personen", "paciente", "paziente", "persona", "pessoa", "personne", "sujet", "sujeto", "mrn",
    "patientname", "subjectname", "personname", "fullname", "email", "emailaddress", "ssn",
})  # fmt: skip
_PICTURES = frozenset({"hash", "imagehash", "filehash", "phash", "dhash", "md5", "sha1", "sha256", "checksum"})
_NUMBERED = {  # words that mean this only if the name says that they are numbered, as in user_id
    **dict.fromkeys(
        ("user", "customer", "client", "member", "employee", "applicant", "candidate", "student", "volunteer",
         "respondent", "celebrity", "actor", "emp", "child"), "people",
    ),
    "family": "families", "household": "households", "track": "tracks", "scene": "scenes",
    "lesion": "lesions", "video": "videos", "clip": "videos", "slide": "slides", "specimen": "specimens",
    "study": "studies", "studyinstance": "studies", "series": "series", "seriesinstance": "series", "exam": "exams",
    "accession": "exams", "encounter": "encounters", "visit": "visits",
}  # fmt: skip
_OF_A_NUMBER = re.compile(r"(id|uid|no|nr|num|number|nummer|code|key|index)$")
_IDS = (
    "id", "sampleid", "imageid", "rowid", "caseid", "recordid", "uid", "uuid", "guid", "image", "img", "imagepath",
    "imagefile", "imagename", "filename", "filepath", "file", "path",
)  # fmt: skip

if TYPE_CHECKING:
    import pandas as pd

Codes = NDArray[np.int64]


def sources_of(columns: Columns, column: str) -> Codes:
    """Return the source of each row as a number; a row whose source is empty or unknown gets one of its own.

    Notes are added to ``columns`` for words that probably mean unknown, and for sources that look alike.

    Args:
        columns: the table.
        column: the sources, or ids.
    """
    codes, values = columns.distinct(column)
    codes = alone(codes, codes < 0)
    times = np.bincount(codes)
    repeated = np.flatnonzero(times > 1)  # a value of one row is a source of its own, whatever it is
    texts = [str(value) for value in values[repeated].tolist()]
    nameless = np.array([not text.strip() or text.strip() in columns.unknown for text in texts], bool)
    named = [at for at in range(len(texts)) if not nameless[at]]
    columns.notes += spelling_notes(
        [texts[at] for at in named], times[repeated[named]].tolist(), column=f"column {column!r}", kind="source"
    )
    if len(values) <= COMPARED:
        rows = dict(zip(map(str, values.tolist()), times.tolist(), strict=False))
        known = [text for text in rows if text.strip() not in ("", *columns.unknown)]
        columns.notes += lookalike_notes(known, rows, column=f"column {column!r}", kind="source")
    return alone(codes, np.isin(codes, repeated[nameless])) if nameless.any() else codes


def source_hint(names: Collection[str], used: Collection[str | None]) -> list[str]:
    """Return a note if a column that is not used has a name that suggests that it identifies what several rows show.

    People come before what there may be several of for each of them, such as videos.

    Example:
        >>> source_hint(["image", "label", "Patient ID"], ["image", "label"])
        ["Column 'Patient ID' may identify people; if several rows can show the same one, add --source 'Patient ID'"]
        >>> source_hint(["video_id", "user_id"], [])[0].partition(";")[0], source_hint(["student"], [])
        ("Column 'user_id' may identify people", [])
    """
    found: dict[str, str] = {}
    for name in (name for name in names if name not in used):
        word = bare_name(name)
        stem = _OF_A_NUMBER.sub("", word, count=1)
        shown = _NUMBERED.get(stem) if stem != word else None
        shown = "people" if stem in _PEOPLE else "pictures" if word in _PICTURES else shown
        if shown is not None:
            found.setdefault(shown, name)
    if not found:
        return []
    shown = "people" if "people" in found else next(iter(found))
    return [
        f"Column {found[shown]!r} may identify {shown}; if several rows can show the same one, add --source "
        f"{shlex.quote(found[shown])}"
    ]


def id_column(names: Sequence[str], used: Collection[str | None] = ()) -> str | None:
    """Return the column that is named as one of ids of samples or of their files; None if there is none.

    Args:
        names: the columns of a table.
        used: those that mean something else.

    Example:
        >>> id_column(["ID", "label"]), id_column(["image_path", "Image-ID", "label"]), id_column(["label", "group"])
        ('ID', 'Image-ID', None)
    """
    named: dict[str, str] = {}
    for name in sorted(names, key="id".__ne__):  # id itself before ID
        if name not in used:
            named.setdefault(bare_name(name), name)
    return next((named[word] for word in _IDS if word in named), None)


def source_column(names: Sequence[str]) -> str | None:
    """Return the column that is named as one of sources, ``source_id``; None if there is none."""
    return next((name for name in names if bare_name(name) == "sourceid"), None)


def repeated_ids(ids: pd.Series) -> list[str]:
    """Return a note if values of a column that nothing names as a source occur more than once.

    Example:
        >>> import pandas as pd
        >>> repeated_ids(pd.Series(["a", "b", "a"], name="id"))
        ["1 value of column 'id' occurs more than once; if rows with the same one show one person, add --source id"]
    """
    times = ids.dropna().astype(str).value_counts()
    repeated = int((times > 1).sum())
    if not repeated:
        return []
    name = str(ids.name)
    said = f"1 value of column {name!r} occurs" if repeated == 1 else f"{repeated:,} values of column {name!r} occur"
    return [f"{said} more than once; if rows with the same one show one person, add --source {shlex.quote(name)}"]


def alone(codes: Codes, rows: NDArray[np.bool_]) -> Codes:
    """Return the codes with one of its own for each row of a mask.

    Example:
        >>> alone(np.array([0, 0, 1, 0]), np.array([False, True, False, False])).tolist()
        [0, 2, 1, 0]
    """
    found = codes.copy()
    found[rows] = codes.max(initial=-1) + 1 + np.arange(int(rows.sum()))
    return found


def linked(first: Codes, second: Codes) -> Codes:
    """Return one number for all rows that are linked by an equal number in either array, directly or through others.

    Example:
        >>> linked(np.array([0, 0, 1, 2]), np.array([5, 6, 6, 7])).tolist()
        [0, 0, 0, 1]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    one, other = (_dense(codes) for codes in (first, second))
    start = int(one.max(initial=-1)) + 1
    size = start + int(other.max(initial=-1)) + 1
    links = coo_array((np.ones(len(one), np.int8), (one, start + other)), shape=(size, size))
    _, parts = connected_components(links, directed=False)
    return _dense(parts[one])


def _dense(codes: NDArray[Any]) -> Codes:
    """Return codes renumbered in the order of their first row."""
    import pandas as pd

    return np.asarray(pd.factorize(codes)[0], np.int64)
