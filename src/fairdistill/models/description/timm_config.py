"""What timm's ``config.json`` says about how a model's images are prepared, read as its ``create_transform`` does."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from fairdistill.models.description.described import three
from fairdistill.models.description.input_rule import InputRule, parse_rule

_SHARE, _INTERPOLATION = 0.875, "bicubic"  # what timm does where nothing is said


def of_timm(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a :class:`.described.Described` that the content of a ``config.json`` of timm gives.

    Raises:
        TypeError, ValueError: if a value is not of its form.
    """
    inside = config.get("pretrained_cfg") or config.get("default_cfg") or {}
    name = config.get("architecture") or inside.get("architecture")
    cfg = {**(config if name else {}), **inside}
    given = cfg.get("input_size")
    size = None if given is None else int(given[-1])
    return {
        "network": f"timm:{name}" if isinstance(name, str) else None,
        "size": size,
        "mean": three(cfg.get("mean")),
        "std": three(cfg.get("std")),
        **({} if size is None else _geometry(cfg, size)),
    }


def _geometry(cfg: Mapping[str, Any], size: int) -> dict[str, Any]:
    interpolation = str(cfg.get("interpolation") or _INTERPOLATION)
    rule = parse_rule("bilinear" if interpolation == "random" else interpolation, "interpolation")
    share = float(cfg.get("crop_pct") or _SHARE)
    if not 0 < share <= 1:
        raise ValueError(f"crop_pct is {share:g}, not a share of the image")
    short = math.floor(size / share)
    mode = cfg.get("crop_mode") or "center"
    if mode == "border":
        said = (f"the long side was resized to {short} pixels, with a border around the image",)
        return {"rule": InputRule(part="whole").completed_by(rule), "differs": said}
    if mode == "squash":
        part = InputRule(part="whole") if short == size else InputRule(part="square", short=short)
    else:
        part = InputRule(part="center", short=short)
    return {"rule": part.completed_by(rule)}
