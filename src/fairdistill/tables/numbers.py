"""Numbers as spreadsheets write them: with a decimal point, a decimal comma or a percent sign."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fairdistill.tables.printed import unprinted

if TYPE_CHECKING:
    import pandas as pd

_DECIMAL_COMMA = re.compile(r"[+-]?(\d*,\d+|\d+)([eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+|[+-]?\d+")
_GROUPINGS = (  # what separates thousands, and what the decimals
    (",", "."), (".", ","), (" ", ".,"), ("\u00a0", ".,"), ("\u202f", ".,"), ("'", ".,"), ("\u2019", ".,"),
)  # fmt: skip


def as_numbers(
    values: pd.Series[float] | pd.Series[str], *, separator: str, thousands: bool = False
) -> NDArray[np.float64]:
    """Return a column as numbers, float64 ``[N]``; NaN where a field is empty or not a number.

    Commas are decimal commas if no field has a point, and signs between thousands are left out where they can be
    nothing else, as in ``1,000,000`` or ``1,000.5``. If all fields with a comma look like ``"1,000"`` in a table whose
    separator is a comma, they are not numbers, or thousands if ``thousands`` says so. Percent signs are read if every
    field has one, and so are single numbers as Python prints them, as in ``[0.5]`` and ``tensor(0.5)``.
    """
    import pandas as pd

    found = _plain(values)
    if not np.isnan(found).any() or pd.api.types.is_numeric_dtype(values.dtype):
        return found
    texts = values.dropna().astype(str).str.strip().str.replace("\N{MINUS SIGN}", "-", regex=False)
    printed = texts.map(unprinted)
    if printed.notna().all():
        texts = printed.astype(str)
    percent = len(texts) > 0 and bool(texts.str.endswith("%").all())
    if percent:
        texts = texts.str.removesuffix("%").str.strip()
    between = _between_thousands(texts, "," if thousands and separator == "," else "")
    if between is not None:
        texts = texts.str.replace(between, "", regex=False).str.replace(",", ".", regex=False)
    elif _has_decimal_commas(texts, separator):
        texts = texts.str.replace(",", ".", regex=False)
    read = pd.Series(np.nan, index=values.index, dtype=np.float64)
    read[texts.index] = _plain(texts) / (100 if percent else 1)
    return np.asarray(read.to_numpy(), np.float64)


def decimals(names: Sequence[str]) -> list[float] | None:
    """Return the numbers that names are if they have decimal commas; None if they do not.

    Example:
        >>> decimals(["0,5", "0,25", "1"]), decimals(["1,000", "2,000"]), decimals(["1", "2"])
        ([0.5, 0.25, 1.0], None, None)
    """
    texts = [name.strip() for name in names]
    if not any("," in text and not _THOUSANDS.fullmatch(text) for text in texts):
        return None
    if not all(_DECIMAL_COMMA.fullmatch(text) for text in texts):
        return None
    return [float(text.replace(",", ".")) for text in texts]


def _plain(values: pd.Series[float] | pd.Series[str]) -> NDArray[np.float64]:
    import pandas as pd

    return np.asarray(pd.to_numeric(values, errors="coerce").to_numpy(np.float64, na_value=np.nan))


def _between_thousands(texts: pd.Series[str], known: str) -> str | None:
    """Return the sign between thousands; None if there is none, or if it may be decimal and is not ``known``."""
    for sign, decimal in _GROUPINGS:
        signed = texts[texts.str.contains(sign, regex=False)]
        group = re.compile(rf"[+-]?[1-9]\d{{0,2}}({re.escape(sign)}\d{{3}})+([{decimal}]\d+)?")
        if not len(signed) or not signed.str.fullmatch(group).all():
            continue
        if sign == known or len(decimal) > 1 or texts.str.contains(decimal, regex=False).any():
            return sign
        if (signed.str.count(re.escape(sign)) > 1).any():
            return sign
    return None


def _has_decimal_commas(texts: pd.Series[str], separator: str) -> bool:
    """Return whether commas are decimal; a field that is not a number, and will be named, does not decide it."""
    commas = texts[texts.str.contains(",", regex=False)]
    if not len(commas) or texts.str.contains(".", regex=False).any():
        return False
    if separator != ",":
        return True
    numbers = commas[commas.str.fullmatch(_DECIMAL_COMMA)]
    return not numbers.str.fullmatch(_THOUSANDS).all()
