"""The command ``tune``: search, choose on validation data, read the test set once."""

from __future__ import annotations

from typing import Any

from fairdistill.contract import check_options, split_keywords, with_keywords
from fairdistill.data import split_data_keywords, with_data_keywords
from fairdistill.errors import UsageError
from fairdistill.system.caller import caller_untouched
from fairdistill.system.processes import launched_together
from fairdistill.training import TrainOptions
from fairdistill.tuning.conclusion import closed, conclude
from fairdistill.tuning.extras import check_installed, quiet_optuna
from fairdistill.tuning.options import TuneOptions
from fairdistill.tuning.plan import plan
from fairdistill.tuning.result import TuneResult


def tune(
    training: TrainOptions | None = None, *, options: TuneOptions | None = None, quiet: bool = False, **keywords: Any
) -> TuneResult:
    """Search hyperparameters of a method, and choose one trial by a fixed rule.

    Each trial is a run folder in ``out``, evaluated on the validation set by its checkpoint. The same call resumes a
    search that was stopped. At the end the test set is read once, for the chosen trial, which closes the study.

    Args:
        training: how each trial is trained; ``out`` is the study's folder.
        options: the search space, the limits of the search, and how a trial is chosen.
        quiet: show no progress.
        **keywords: options of either, or of the data set, by name; they take precedence.

    Returns:
        The trials, the Pareto front, the chosen trial, and its scores on the test set.

    Raises:
        UsageError: for options that do not fit, a budget that is too short, a rule that no trial meets, a storage that
            cannot be used, or a study that is closed or not this one.
        DataError: for data that cannot be used, or a validation set that lacks a subgroup.
        RunFolderError: if the folder holds another study or something else.
        Stopped: after Ctrl-C; the same call continues.

    Example:
        >>> result = tune(  # doctest: +SKIP
        ...     method="mfd", teacher="runs/teacher", search={"mfd.strength": "0.3:30:log"}, trials=8, out="tune/mfd"
        ... )
        >>> result.run, result.test.deo_a  # doctest: +SKIP
        (PosixPath('tune/mfd/trial-3'), 0.0551)
    """
    check_options(TrainOptions, training)
    others, of_data = split_data_keywords(training or TrainOptions, keywords)
    of_search, of_training = split_keywords("tune", others, TuneOptions, TrainOptions)
    options = with_keywords(TuneOptions, options, of_search)
    training = with_data_keywords(TrainOptions, training, {**of_training, **of_data})
    if launched_together() > 1:
        raise UsageError(
            "tune runs in one process; start it without torchrun. To use several machines, start it on each of them "
            "with the same --storage"
        )
    check_installed()
    # Optuna, which everything else does without, and PyTorch, which the help does not need.
    from fairdistill.methods import parts
    from fairdistill.models import trust_code
    from fairdistill.tuning.storage import opened
    from fairdistill.tuning.trials_loop import search

    trust_code(training.model, training.teacher_model, training.teacher, *parts(training.method))
    with quiet_optuna(), caller_untouched():
        planned = plan(training, options)
        with opened(planned) as study:
            if closed(planned, study) is None:
                search(planned, study, quiet=quiet)
            return conclude(planned, study, quiet=quiet)
