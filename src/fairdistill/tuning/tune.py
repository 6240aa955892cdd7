"""The command ``tune``: search, choose on validation data, read the test set once."""

from __future__ import annotations

from fairdistill.errors import UsageError
from fairdistill.system.caller import caller_untouched
from fairdistill.system.processes import launched_together
from fairdistill.training import TrainOptions
from fairdistill.tuning.conclusion import TuneResult, closed, conclude
from fairdistill.tuning.extras import check_installed, quiet_optuna
from fairdistill.tuning.options import TuneOptions
from fairdistill.tuning.plan import plan


def tune(options: TrainOptions, tune_options: TuneOptions, *, quiet: bool = False) -> TuneResult:
    """Search hyper-parameters of a method, and choose one trial by a stated rule.

    Each trial is a run folder in ``options.out``; it is judged on validation rows by the weights it keeps. The same
    call goes on where a former one stopped. At the end the test set is read, once, for the chosen trial, and with that
    the study is closed.

    Args:
        options: what each trial is trained with; ``out`` is the study's folder.
        tune_options: what is searched, how and for how long; see :class:`TuneOptions`.
        quiet: show no progress.

    Returns:
        The trials, the front, the chosen one, and what it does on the test set.

    Raises:
        UsageError: for options that do not fit, a budget that is too short, a rule that no trial keeps, a storage that
            cannot be used, or a study that is another or closed.
        DataError: for data that cannot be used, or validation rows that lack a cell.
        RunFolderError: if the folder holds another study or something else.
        TrainingError: after Ctrl-C; the same call goes on.

    Example:
        >>> options = TrainOptions(method="mfd", teacher="runs/teacher", out="tune/mfd")  # doctest: +SKIP
        >>> result = tune(options, TuneOptions(search={"mfd.strength": "0.3:30:log"}, trials=8))  # doctest: +SKIP
        >>> result.run  # doctest: +SKIP
        PosixPath('tune/mfd/trial-3')
    """
    if launched_together() > 1:
        raise UsageError(
            "tune runs in one process; start it without torchrun, and again on every machine that shall take part, "
            "with one --storage"
        )
    check_installed()
    # These need Optuna, which everything else does without.
    from fairdistill.tuning.storage import opened
    from fairdistill.tuning.trials_loop import search

    with quiet_optuna(), caller_untouched():
        planned = plan(options, tune_options)
        with opened(planned) as study:
            if closed(planned, study) is None:
                search(planned, study, quiet=quiet)
            return conclude(planned, study, quiet=quiet)
