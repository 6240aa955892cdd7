"""Whether a model sees images turned as those that it was trained on, and what its file says about them."""

from __future__ import annotations

from collections.abc import Mapping

from fairdistill.data import GroupedDataset, ImageFiles, Recipe
from fairdistill.data.images.view import PLAIN
from fairdistill.errors import TeacherError
from fairdistill.models.input_rule import rule_of


def description(data: GroupedDataset) -> dict[str, str]:
    """Return what a model's file says about the images that it was trained on: their geometry and orientation."""
    return {**geometry(data.recipe), "exif": str(_exif(data)).lower()}


def geometry(recipe: Recipe) -> dict[str, str]:
    """Return what a model's file says about how images become its input.

    ``center_crop`` is the short side that a center crop is cut from, relative to the crop, 0 without one;
    ``input_rule``, written only if there is more to say, is the whole rule.

    Example:
        >>> geometry(Recipe(size=224, crop="center", stored=(256, 256)))
        {'center_crop': '1.1429'}
    """
    zoom = min(recipe.stored) / recipe.size if recipe.crop == "center" else 0.0
    plain = recipe.resizing == PLAIN and not recipe.bgr
    return {"center_crop": f"{zoom:.4f}", **({} if plain else {"input_rule": str(rule_of(recipe))})}


def check_agreement(described: Mapping[str, str], data: GroupedDataset, who: str) -> None:
    """Check that the images are turned as those that a model was trained on.

    Args:
        described: the metadata of the model's file; one that says nothing about this agrees with all data.
        data: the images.
        who: the model, for the message.

    Raises:
        TeacherError: naming the option to add or to drop.
    """
    if described.get("exif", str(_exif(data)).lower()) != str(_exif(data)).lower():
        then_turned = described["exif"] == "true"
        raise TeacherError(
            f"{who} was trained {'with' if then_turned else 'without'} --exif, which turns images as their EXIF "
            f"orientation says; {'add' if then_turned else 'drop'} --exif"
        )


def _exif(data: GroupedDataset) -> bool:
    return isinstance(data.images, ImageFiles) and data.images.storage.how.exif
