"""Whether a model sees the part of each image that it was trained on."""

from __future__ import annotations

from collections.abc import Mapping

from fairdistill.data import GroupedDataset, ImageFiles, Recipe
from fairdistill.errors import TeacherError

_CLOSE = 0.02  # sizes are rounded to pixels


def description(data: GroupedDataset) -> dict[str, str]:
    """Return what a model's file says about the images that it was trained on: the crop and the orientation."""
    return {"center_crop": f"{_zoom(data.recipe):.4f}", "exif": str(_exif(data)).lower()}


def check_agreement(described: Mapping[str, str], data: GroupedDataset, who: str) -> None:
    """Check that the images are cropped and turned as those that a model was trained on.

    Args:
        described: the metadata of the model's file; one that says nothing about this agrees with all data.
        data: the images.
        who: the model, for the message.

    Raises:
        TeacherError: naming the option to add or to drop.
    """
    if "center_crop" in described:
        then, now = float(described["center_crop"]), _zoom(data.recipe)
        if abs(then - now) > _CLOSE:
            size = data.recipe.size
            short = f"--crop center --stored-size {round(size * then)}" if then else "another --crop than center"
            raise TeacherError(
                f"{who} was trained on {_seen(then)}, but {data.name} is read as {_seen(now)}; use {short}"
            )
    if described.get("exif", str(_exif(data)).lower()) != str(_exif(data)).lower():
        then_turned = described["exif"] == "true"
        raise TeacherError(
            f"{who} was trained {'with' if then_turned else 'without'} --exif, which turns images as their EXIF "
            f"orientation says; {'add' if then_turned else 'drop'} --exif"
        )


def _zoom(recipe: Recipe) -> float:
    """Return the short side that a center crop is cut from, relative to the crop; 0 without a center crop."""
    return min(recipe.stored) / recipe.size if recipe.crop == "center" else 0.0


def _seen(zoom: float) -> str:
    return f"center crops ({100 / zoom:.3g}% of the short side)" if zoom else "whole images"


def _exif(data: GroupedDataset) -> bool:
    return isinstance(data.images, ImageFiles) and data.images.storage.how.exif
