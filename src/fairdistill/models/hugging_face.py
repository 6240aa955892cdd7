"""The image classifiers of Hugging Face's transformers, described by a ``config.json``: built, read and written.

Nothing is fetched, and no code that a folder brings along is run.
"""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from fairdistill.data import Recipe
from fairdistill.errors import UsageError
from fairdistill.models.description.folder import CONFIG, PROCESSOR, weights_file_in
from fairdistill.models.description.processor import KERNELS
from fairdistill.models.files.weights import load_weights, read_weights
from fairdistill.system.vision import import_transformers


def face_network(folder: str, num_classes: int, *, image_size: int | None, pretrained: bool = False) -> nn.Module:
    """Return the image classifier that a folder's ``config.json`` describes.

    Args:
        folder: a folder that ``save_pretrained`` of transformers wrote; only its ``config.json`` is needed.
        num_classes: number of outputs.
        image_size: height and width of the images, for networks built for one image size.
        pretrained: whether to load the weights in the folder; the head is new.

    Raises:
        UsageError: if there is no such file, it describes no image classifier of transformers, or transformers is not
            installed.
    """
    if not (Path(folder) / CONFIG).is_file():
        raise UsageError(
            f"there is no {CONFIG} in {folder}, which hf:FOLDER needs: name a folder that save_pretrained wrote"
        )
    transformers = import_transformers()
    try:
        with _quiet(transformers):
            config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
            if config.num_labels != num_classes:
                config.num_labels = num_classes
            if image_size is not None and isinstance(getattr(config, "image_size", None), int | list | tuple):
                config.image_size = image_size
            kind = transformers.AutoModelForImageClassification
            network: nn.Module = kind.from_config(config, trust_remote_code=False, dtype=torch.float32)
    except Exception as error:  # each configuration is checked differently
        reason = " ".join(str(error).split(". ")[0].split())
        raise UsageError(
            f"{Path(folder) / CONFIG} describes no image classifier that transformers can build: "
            f"{type(error).__name__}: {reason[:200]}"
        ) from error
    if pretrained:
        weights, _ = read_weights(weights_file_in(folder))
        load_weights(network, own_names(network, weights), where=folder, new_head=True)
    return network


def own_names(network: nn.Module, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights under the names of a network of transformers, whose files may spell them in an older way.

    Weights of any other network, or under names that fit, are returned as they are.
    """
    if not is_face(network) or set(weights) == set(network.state_dict()):
        return dict(weights)
    transformers = import_transformers()
    kind: Any = type(network)
    try:
        with _quiet(transformers), torch.random.fork_rng(devices=[]):
            loaded, info = kind.from_pretrained(
                None, config=network.config, state_dict=dict(weights), dtype=torch.float32,
                ignore_mismatched_sizes=True, output_loading_info=True,
            )  # fmt: skip
    except Exception as error:  # weights of quite another network
        reason = " ".join(str(error).split())[:200]
        raise UsageError(
            f"transformers cannot read these weights as {kind.__name__}: {type(error).__name__}: {reason}"
        ) from error
    reshaped = {name: torch.empty(tuple(shape)) for name, shape, _ in info["mismatched_keys"]}
    left = set(info["missing_keys"]) | set(reshaped)
    found = {name: value for name, value in loaded.state_dict().items() if name not in left}
    unknown = {name: weights[name] for name in info["unexpected_keys"] if name in weights}
    return {**found, **{name: weights.get(name, value) for name, value in reshaped.items()}, **unknown}


def is_face(network: nn.Module) -> bool:
    """Return whether a network is one of transformers."""
    return hasattr(network, "config") and hasattr(network, "base_model_prefix")


def configurations(
    network: nn.Module, class_names: Sequence[str], recipe: Recipe, *, multi_label: bool = False
) -> dict[str, dict[str, Any]]:
    """Return the files that transformers reads beside the weights of one of its networks, by name.

    Args:
        network: a network of transformers.
        class_names: the names of its outputs.
        recipe: how its images are prepared.
        multi_label: whether an image may have several of the classes.
    """
    config = copy.deepcopy(cast(Any, network).config)
    config.id2label = dict(enumerate(class_names))
    config.label2id = {name: index for index, name in enumerate(class_names)}
    config.problem_type = f"{'multi' if multi_label else 'single'}_label_classification"
    config.architectures = [type(network).__name__]
    center = recipe.crop == "center"
    short, kernel = min(recipe.stored), KERNELS.index(recipe.resizing.interpolation)
    square = {"height": short, "width": short} if center else {"height": recipe.size, "width": recipe.size}
    resized = {"shortest_edge": short} if center and not recipe.resizing.square else square
    processor = {
        "image_processor_type": "CLIPImageProcessor" if center else "ViTImageProcessor",
        "do_resize": True, "size": resized, "resample": kernel, "do_center_crop": center,
        "crop_size": {"height": recipe.size, "width": recipe.size}, "do_rescale": True, "rescale_factor": 1 / 255,
        "do_normalize": True, "image_mean": list(recipe.mean), "image_std": list(recipe.std),
    }  # fmt: skip
    return {CONFIG: json.loads(config.to_json_string()), PROCESSOR: processor}


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Silence its progress bars, remarks and warnings."""
    logging = transformers.utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
