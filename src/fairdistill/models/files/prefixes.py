"""Names in weights files: what trainers put in front of a network's own names, and beside them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

# Of DistributedDataParallel and AveragedModel, torch.compile, Lightning, and wrappers that people write.
_PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.", "backbone.")
_BESIDE = ("criterion.", "loss.", "loss_fn.", "loss_function.")
_COUNT = "n_averaged"  # how many models torch.optim.swa_utils.AveragedModel has averaged


def is_beside(name: str) -> bool:
    """Return whether a name belongs to the training rather than to a network: a loss, a count of averaged models.

    Example:
        >>> is_beside("criterion.weight"), is_beside("fc.weight")
        (True, False)
    """
    return name == _COUNT or name.startswith(_BESIDE)


def common_prefix(weights: Mapping[str, Any]) -> str:
    """Return the known prefixes, one after the other, that all names of a network's weights have.

    Example:
        >>> common_prefix({"n_averaged": 3, "module.model.fc.weight": 0, "module.model.fc.bias": 0})
        'module.model.'
    """
    names = [name for name in weights if not is_beside(name)]
    prefix = ""
    while names and (found := next((p for p in _PREFIXES if all(n.startswith(prefix + p) for n in names)), None)):
        prefix += found
    return prefix


def fitting_prefixes(weights: Collection[str], names: Sequence[str]) -> list[str]:
    """Return the prefixes under which all of a network's own names are among those of some weights.

    Example:
        >>> fitting_prefixes(["student.a", "student.b", "teacher.a", "teacher.b", "x"], ["a", "b"])
        ['student.', 'teacher.']
    """
    if not names:
        return []
    ends = [name.removesuffix(names[0]) for name in weights if name.endswith(names[0])]
    return [prefix for prefix in ends if all(prefix + name in weights for name in names)]


def without_prefix(weights: Mapping[str, Any]) -> dict[str, Any]:
    """Return the weights without the prefixes that all names have; the order is kept."""
    prefix = common_prefix(weights)
    return {name.removeprefix(prefix): value for name, value in weights.items()}
