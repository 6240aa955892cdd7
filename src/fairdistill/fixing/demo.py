"""The demo: a biased digit classifier, and ``fix`` applied to it."""

from __future__ import annotations

from typing import Any

from fairdistill.contract import with_keywords
from fairdistill.fixing.fix import fix
from fairdistill.fixing.options import DemoOptions, FixOptions
from fairdistill.fixing.result import FixResult

_STUDENTS = 2  # ss and mfd, after the last layers
# On small layers, several threads mostly wait for each other; and the numbers depend on how many there are.
_THREADS = 1
_NO_LIMIT = "1h"  # so that the steps, and with them the numbers, do not depend on the speed of the machine


def demo(*, options: DemoOptions | None = None, **keywords: Any) -> FixResult:
    """Train a biased digit classifier and run ``fix`` on it, with all last layers and the students ``ss`` and ``mfd``.

    Args:
        options: see :class:`DemoOptions`.
        **keywords: options by name.

    Returns:
        The verdict of the fix, and everything behind it.

    Raises:
        RunFolderError: if the folder contains something else.
        Stopped: after Ctrl-C, as for :func:`fix`; the same call continues.

    Example:
        >>> demo(out="digits").verdict  # doctest: +SKIP
        'use'
    """
    options = with_keywords(DemoOptions, options, keywords)
    return fix(
        options=FixOptions(
            data="digits-s", students=_STUDENTS, budget=_NO_LIMIT, threads=_THREADS, seed=options.seed, out=options.out
        )
    )
