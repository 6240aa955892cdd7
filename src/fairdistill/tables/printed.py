"""Single values as Python prints them: ``tensor(0.83)``, ``np.float32(0.5)``, ``[1]``, ``b'cat'``."""

from __future__ import annotations

import re

_VALUE = r"""\s*([^\s()\[\]{},;'"]+|'[^']*'|"[^"]*")\s*"""
_NUMPY = rf"(?:np|numpy)\.\w+\({_VALUE}\)"
_PRINTED = re.compile(
    rf"(?:tensor|array)\(\[{{0,2}}{_VALUE}\]{{0,2}}(?:,\s*(?:device|dtype|grad_fn)=[^()]*)?\)"
    rf"|\[{{1,2}}{_VALUE}\]{{1,2}}|{_NUMPY}|\[{_NUMPY}\]|\({_VALUE},\s*\)|np\.(True|False)_|b('[^']*'|\"[^\"]*\")"
)


def unprinted(text: str) -> str | None:
    """Return the value in what Python prints for one; None if a text is nothing of this kind.

    Example:
        >>> [unprinted(text) for text in ("tensor(1, device='cuda:0')", "[0.5]", "np.str_('a cat')", "b'cat'")]
        ['1', '0.5', 'a cat', 'cat']
        >>> unprinted("[1, 2]"), unprinted("cat")
        (None, None)
    """
    found = _PRINTED.fullmatch(text.strip())
    return None if found is None else next(filter(None, found.groups())).strip("'\"")
