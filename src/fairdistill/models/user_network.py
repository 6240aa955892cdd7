"""A network made by the user's own code: ``package.module:factory``."""

from __future__ import annotations

import inspect
from typing import Any

from torch import nn
from torch.nn.parameter import is_lazy

from fairdistill.errors import UsageError
from fairdistill.models.own_code import current_folder_first, own_code, place_in_own_code

_CLASSES = "num_classes"


def user_network(module: str, factory: str, num_classes: int) -> nn.Module:
    """Import a module and return what its factory makes.

    The current folder is searched for the module first. The factory gets the number of classes as its argument
    ``num_classes``, or as its first argument without a default; if it has neither, it is called without it.

    Raises:
        UsageError: if the module cannot be imported, it has no such factory, the factory fails or needs more
            arguments, or it returns something other than a network.
    """
    name = f"{module}:{factory}"
    make = own_code(
        name,
        kind="network",
        wanted="a function or class",
        fits=lambda found: callable(found) and not isinstance(found, nn.Module),
    )
    with current_folder_first():
        args, kwargs = _arguments(make, name, num_classes)
        try:
            network = make(*args, **kwargs)
        except Exception as error:  # as above
            place = place_in_own_code(error)
            where = "" if place is None else f" ({place})"
            raise UsageError(f"making the network {name} failed: {type(error).__name__}: {error}{where}") from error
    if not isinstance(network, nn.Module):
        raise UsageError(f"expected {name} to return a torch.nn.Module, but it returned a {type(network).__name__}")
    if any(is_lazy(parameter) for parameter in network.parameters()):
        raise UsageError(f"the network {name} has lazy layers without weights; run it once on an image in {factory}()")
    return network


def _arguments(make: Any, name: str, num_classes: int) -> tuple[list[int], dict[str, int]]:
    try:
        parameters = list(inspect.signature(make).parameters.values())
    except (TypeError, ValueError):  # some built-in callables have none
        return [num_classes], {}
    named = [p for p in parameters if p.name == _CLASSES and p.kind is not p.POSITIONAL_ONLY]
    required = [p for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    others = [p.name for p in required if p.name != _CLASSES]
    if len(others) > (0 if named else 1):
        raise UsageError(
            f"the network {name} needs the arguments {', '.join(p.name for p in required)}, but only {_CLASSES} is "
            "known; give the others default values"
        )
    if named or any(p.kind is p.VAR_KEYWORD for p in parameters if not required):
        return [], {_CLASSES: num_classes}
    if not required:
        return [], {}
    if required[0].kind is inspect.Parameter.KEYWORD_ONLY:
        return [], {required[0].name: num_classes}
    return [num_classes], {}
