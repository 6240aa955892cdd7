"""Options of a training that came later than the first runs, whose configurations lack them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

LATER_OPTIONS: Mapping[str, Any] = MappingProxyType(
    {
        "weights_key": None, "teacher_weights_key": None, "teacher_outputs": "auto", "teacher_input": None,
        "teacher_images": "same",
        "augment": "standard", "ema": 0.0, "recipe": "default", "lr_warmup": 0.0, "label_smoothing": 0.0,
        "alternating_flip": False, "crop_padding": 0,
        "cutout": 0, "whitening": "off", "scratch_weights": "default", "dropout": None,
    }
)  # fmt: skip
"""What earlier runs did, by option."""


def without_defaults(options: Mapping[str, Any], *, keep: str) -> dict[str, Any]:
    """Return the options of a run without those that came later and have the value that earlier runs had.

    Args:
        options: by name.
        keep: which checkpoint runs of its protocol kept before ``keep`` was an option.

    Example:
        >>> without_defaults({"lr": 0.1, "ema": 0.0, "keep": "loss", "augment": "randaug"}, keep="loss")
        {'lr': 0.1, 'augment': 'randaug'}
    """
    earlier = {**LATER_OPTIONS, "keep": keep}
    return {name: value for name, value in options.items() if name not in earlier or value != earlier[name]}
