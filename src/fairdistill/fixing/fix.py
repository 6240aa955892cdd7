"""From a deployed model and data to one recommendation.

The order is that of an honest experiment: the deployed model is audited on the validation set; corrections and
students are tried and compared there; one is chosen by a rule fixed in advance; then the test set is read, once, for
the chosen candidate and for the deployed model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fairdistill.auditing import audit
from fairdistill.contract import Location, given_path
from fairdistill.data import with_data_keywords
from fairdistill.errors import UsageError
from fairdistill.fixing.conclusion import conclude
from fairdistill.fixing.options import FixOptions
from fairdistill.fixing.result import FixResult
from fairdistill.fixing.stages import search_for_fairer
from fairdistill.fixing.start import prepare_work
from fairdistill.fixing.work import folder
from fairdistill.models import trust_code
from fairdistill.runs import RunFolder
from fairdistill.system.caller import caller_untouched
from fairdistill.system.clock import Clock
from fairdistill.system.processes import launched_together
from fairdistill.system.signals import signal_of
from fairdistill.training import Interrupted, Stopped


def fix(source: Location | None = None, *, options: FixOptions | None = None, **keywords: Any) -> FixResult:
    """Look for a fairer model than the deployed one, and recommend what to do.

    Args:
        source: the deployed model: a run folder, a weights file or an exported program; None to train one first.
        options: see :class:`FixOptions`.
        **keywords: options by name, including those of the data set, for example ``label="age"`` for a table.

    Returns:
        What was found and the recommendation; ``fix.json`` and ``recommendation.md`` in the folder ``out`` hold them.

    Raises:
        UsageError: for options or models that do not fit, too short a budget, or a rule that cannot be read.
        DataError: for data that cannot be used, or a subgroup without validation or test samples.
        RunFolderError: if the folder contains something else.
        Stopped: after Ctrl-C, unless something can be recommended already; the same call continues.

    Example:
        >>> result = fix("model.pt", data="faces.csv", image="file", label="age", group="race")  # doctest: +SKIP
        >>> result.chosen, result.test_after.deo_a.value  # doctest: +SKIP
        ('mfd-3', 0.041)
    """
    if options is None and keywords.get("data") is None:
        raise UsageError("fix needs data: a table of images, a folder of class folders, or the name of a data set")
    options = with_data_keywords(FixOptions, options, keywords)
    if source is not None:
        source = given_path("source", source)
    if launched_together() > 1:
        raise UsageError("fix runs in one process; start it without torchrun")
    trust_code(options.model, None if source is None else str(source))
    clock = Clock(options.seconds)
    with caller_untouched(), folder.held(Path(options.out)):
        try:
            work = prepare_work(None if source is None else str(source), options, clock)
            began = clock.spent
            validation = audit(work.deployed.validation)
            decision = search_for_fairer(work, validation, audit_seconds=clock.spent - began)
            return conclude(work, validation, decision)
        except Interrupted as stop:
            raise Stopped(f"in {options.out}", stop) from None
        except KeyboardInterrupt as error:
            if not folder.begun(Path(options.out)):
                raise
            interrupted = Interrupted("stopped", RunFolder(Path(options.out)), signal_number=signal_of(error))
            raise Stopped(f"in {options.out}", interrupted) from None
