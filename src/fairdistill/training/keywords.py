"""The options of a training from the keywords of a call, those of its data set included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from fairdistill.contract import check_options, with_data_keywords
from fairdistill.data import option_names
from fairdistill.training.options import TrainOptions


def data_keywords(options: TrainOptions | None, keywords: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the data set's own options, if a keyword is not an option of every training.

    Raises:
        UsageError: if there is no such data set.

    Example:
        >>> data_keywords(None, {"method": "ss"}), data_keywords(None, {"data": "digits-s", "skew": 0.9})
        ((), ('skew', 'data_seed'))
    """
    if keywords.keys() <= {field.name for field in fields(TrainOptions)}:
        return ()
    return option_names(str(keywords.get("data", TrainOptions.data if options is None else options.data)))


def train_options(options: TrainOptions | None, keywords: Mapping[str, Any]) -> TrainOptions:
    """Return the options of a call; keywords that are options of the data set go to ``data_options``.

    Raises:
        UsageError: for a name that is an option of neither, or a value that does not fit.

    Example:
        >>> train_options(None, {"method": "ss", "skew": 0.9}).data_options
        {'skew': 0.9}
    """
    check_options(TrainOptions, options)
    return with_data_keywords(TrainOptions, options, keywords, data_keywords(options, keywords))
