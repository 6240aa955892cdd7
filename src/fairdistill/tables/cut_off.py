"""Whether a spreadsheet may have cut off the end of a table."""

from __future__ import annotations

_ROWS = (65_535, 1_048_575)  # below the header, in a sheet of .xls and of .xlsx


def cut_off_note(rows: int) -> list[str]:
    """Return a note if a table has exactly as many rows as a sheet of Excel has room for.

    Example:
        >>> cut_off_note(65_535), cut_off_note(65_534)
        (['The table has 65,535 rows, all that a sheet of Excel has room for; check that no others were cut off'], [])
    """
    if rows not in _ROWS:
        return []
    return [f"The table has {rows:,} rows, all that a sheet of Excel has room for; check that no others were cut off"]
