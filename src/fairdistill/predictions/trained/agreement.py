"""Whether a model sees images decoded as those that it was trained on, and what its file says about them."""

from __future__ import annotations

from collections.abc import Mapping

from fairdistill.data import GroupedDataset, ImageFiles, Recipe
from fairdistill.data.images.decoding import AS_STORED, Decoding
from fairdistill.data.images.described import decoding_in, described
from fairdistill.data.images.view import PLAIN
from fairdistill.errors import TeacherError
from fairdistill.models.description.input_rule import rule_of


def description(data: GroupedDataset) -> dict[str, str]:
    """Return what a model's file says about the images that it was trained on: their geometry and decoding."""
    return {**geometry(data.recipe), **described(decoding_of(data))}


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


def check_agreement(said: Mapping[str, str], data: GroupedDataset, who: str) -> None:
    """Check that the images are turned, and scaled to 8 bits, as those that a model was trained on.

    Args:
        said: the metadata of the model's file; one that says nothing about this agrees with all data.
        data: the images.
        who: the model, for the message.

    Raises:
        TeacherError: naming the option to add or to drop, or what else to do.
    """
    now, then = decoding_of(data), decoding_in(said)
    if "exif" in said and then.exif != now.exif:
        raise TeacherError(
            f"{who} was trained {'with' if then.exif else 'without'} --exif, which turns images as their EXIF "
            f"orientation says; {'add' if then.exif else 'drop'} --exif"
        )
    bits, own = now.depth.whole, then.depth.whole
    if bits is not None and own is not None and bits != own:
        raise TeacherError(
            f"{who} was trained on {own}-bit values (white is {2**own - 1:,}), but these images were read as "
            f"{bits}-bit values (white is {2**bits - 1:,}), which changes their brightness; add --bits {own}"
        )
    real, own = now.depth.real, then.depth.real
    if real is not None and own is not None and real != own:
        raise TeacherError(
            f"{who} was trained on images of floats from 0 to {2**own - 1:,}, but these were read as values from 0 to "
            f"{2**real - 1:,}, which changes their brightness; convert both to 8 bits a channel"
        )


def decoding_of(data: GroupedDataset) -> Decoding:
    """Return how the images of a data set are decoded."""
    return data.images.decoding if isinstance(data.images, ImageFiles) else AS_STORED
