"""How an image becomes a model's input, as one text: ``center:256,bicubic``."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Literal, get_args

from fairdistill.data import Recipe
from fairdistill.data.images.view import Interpolation
from fairdistill.errors import UsageError

Part = Literal["whole", "center", "square"]

_LARGEST = 100_000  # pixels
_KERNELS: tuple[Interpolation, ...] = get_args(Interpolation)
_SMOOTHED = ("bilinear", "bicubic")
_FLAGS = {
    "antialias": ("antialias", True), "aliased": ("antialias", False), "rounded": ("floor", False),
    "floor": ("floor", True), "rgb": ("bgr", False), "bgr": ("bgr", True),
}  # fmt: skip
_EXPECTED = (
    f"whole, center:SHORT or square:SIZE (in pixels); {', '.join(_KERNELS)}; antialias or aliased; rounded or floor; "
    "rgb or bgr"
)


@dataclass(frozen=True, kw_only=True)
class InputRule:
    """How an image becomes a model's input; None where that is not said.

    Attributes:
        part: ``whole``: the whole image is resized to the input's size; ``center``: its short side is resized to
            ``short``, which keeps the aspect ratio, ``square``: both of its sides are, and the center is cut out.
        short: that size, in pixels.
        interpolation: how pixels are computed.
        antialias: whether an image that becomes smaller is smoothed.
        floor: whether a center that cannot be exact begins at the pixel before; otherwise at the even one.
        bgr: whether the input has the channels blue, green, red.
    """

    part: Part | None = None
    short: int | None = None
    interpolation: Interpolation | None = None
    antialias: bool | None = None
    floor: bool | None = None
    bgr: bool | None = None

    def __str__(self) -> str:
        parts: list[str | None] = [self.part if self.short is None else f"{self.part}:{self.short}", self.interpolation]
        for name, plain in (("antialias", True), ("floor", False), ("bgr", False)):
            value = getattr(self, name)
            if value not in (None, plain):
                parts.append(next(word for word, meaning in _FLAGS.items() if meaning == (name, value)))
        return ",".join(part for part in parts if part)

    def completed_by(self, other: InputRule) -> InputRule:
        """Return this with what it does not say taken from another; the size of a center belongs to its part."""
        missing = {
            field.name: getattr(other, field.name) for field in fields(self) if getattr(self, field.name) is None
        }
        if self.part is not None and (self.part == "whole" or self.part != other.part):
            missing.pop("short", None)
        return replace(self, **missing)

    def scaled(self, old: int | None, new: int) -> InputRule:
        """Return the rule for an input of another size: the same part of each image."""
        if self.short is None or old in (None, new):
            return self
        assert old is not None
        return replace(self, short=max(new, round(self.short * new / old)))

    def applied(self, recipe: Recipe) -> Recipe:
        """Return a preprocessing with what the rule says.

        A center whose size is not given is cut from 8/7 of the input's. Training images of which random parts are cut
        stay as they are: others are seen as whole.

        Raises:
            UsageError: if the center is larger than the image that it is cut from.
        """
        resizing = replace(
            recipe.resizing,
            **{
                name: getattr(self, name)
                for name in ("interpolation", "antialias", "floor")
                if getattr(self, name) is not None
            },
        )
        recipe = replace(recipe, resizing=resizing, bgr=recipe.bgr if self.bgr is None else self.bgr)
        if self.part is None or (self.part == "whole" and recipe.random_crop):
            return recipe
        if self.part == "whole":
            resizing = replace(resizing, square=False)
            return replace(recipe, crop="none", stored=(recipe.size, recipe.size), resizing=resizing)
        short = self.short or round(recipe.size * 8 / 7)
        if short < recipe.size:
            raise UsageError(
                f"expected the center to be cut from at least {recipe.size} pixels, the model's input, but got "
                f"{self.part}:{short}"
            )
        resizing = replace(resizing, square=self.part == "square")
        return replace(recipe, crop="center", stored=(short, short), resizing=resizing)


def rule_of(recipe: Recipe) -> InputRule:
    """Return what a preprocessing does in evaluation, as a rule.

    Example:
        >>> str(rule_of(Recipe(size=224, crop="center", stored=(256, 256))))
        'center:256,bilinear'
    """
    how, center = recipe.resizing, recipe.crop == "center"
    return InputRule(
        part=("square" if how.square else "center") if center else "whole",
        short=min(recipe.stored) if center else None,
        interpolation=how.interpolation,
        antialias=how.antialias,
        floor=how.floor,
        bgr=recipe.bgr,
    )


def parse_rule(text: str, option: str) -> InputRule:
    """Return the rule that a text names, its words in any order.

    Args:
        text: for example ``center:256,bicubic`` or ``aliased,bgr``.
        option: what the user calls it, for the error.

    Raises:
        UsageError: for a word that is not known, two that contradict each other, or a size that is not a number.

    Example:
        >>> parse_rule("bicubic,square:256", "--model-input")
        InputRule(part='square', short=256, interpolation='bicubic', antialias=None, floor=None, bgr=None)
    """
    found: dict[str, object] = {}
    for word in (part.strip().casefold() for part in text.split(",")):
        for name, value in _meaning(word, text, option).items():
            if name in found:
                raise UsageError(f"{option} {text}: {word!r} contradicts another word in it; expected {_EXPECTED}")
            found[name] = value
    rule = InputRule(**found)  # type: ignore[arg-type]  # the values of _meaning
    if rule.antialias is False and rule.interpolation not in (None, *_SMOOTHED):
        raise UsageError(f"{option} {text}: aliased applies to {' and '.join(_SMOOTHED)} only")
    return rule


def _meaning(word: str, text: str, option: str) -> dict[str, object]:
    if word in _KERNELS:
        return {"interpolation": word}
    if word in _FLAGS:
        return dict([_FLAGS[word]])
    part, colon, size = word.partition(":")
    if part == "whole" and not colon:
        return {"part": part}
    if part in ("center", "square") and (not colon or (size.isdecimal() and 1 <= int(size[:9]) <= _LARGEST)):
        return {"part": part, **({"short": int(size)} if colon else {})}
    raise UsageError(f"{option} {text}: {word!r} is not known; expected, separated by commas: {_EXPECTED}")
