"""Where a trained model is, and what the user says about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from fairdistill.data import option_names
from fairdistill.errors import TeacherError
from fairdistill.models.description.folder import model_path
from fairdistill.models.description.input_rule import InputRule, parse_rule
from fairdistill.models.files.kinds import check_kind
from fairdistill.models.intake import Remedies
from fairdistill.predictions.trained.running_options import ModelOptions
from fairdistill.runs import RunFolder
from fairdistill.tables.columns import listed_once

Outputs = Literal["auto", "logits", "probabilities"]


@dataclass(frozen=True, kw_only=True)
class ModelSource:
    """Where a trained model is, and what its file does not contain.

    Attributes:
        path: a run folder, a weights file, a folder of transformers or timm, of which this becomes the weights file,
            or an exported program.
        network: the network of a weights file.
        weights_key: the key of its weights, if a file has several.
        size: height and width of its input; None: as stored in its file or beside it, else the data set's.
        mean: channel means of its input; None: as for ``size``.
        std: channel standard deviations of its input; None: as for ``size``.
        given_rule: how images become its input, as :func:`.input_rule.parse_rule` reads it; None: as for ``size``.
        outputs: what its outputs are; ``auto``: found out by running it.
        classes: ``--classes`` as the user gave it, the names of its outputs; the data set has that order too.
        nameable: whether the data set has the option ``--classes``.
        of_data: which of ``size``, ``mean``, ``std`` and ``crop`` the user set for the data, which then hold for the
            model too, unless its own file says otherwise.
        option: what the user calls the model, and the prefix of the options for its size, mean and sd.
        network_option: the option that names the network.
    """

    path: str
    network: str | None = None
    weights_key: str | None = None
    size: int | None = None
    mean: str | None = None
    std: str | None = None
    given_rule: str | None = None
    outputs: Outputs = "auto"
    classes: str | None = None
    nameable: bool = True
    of_data: tuple[str, ...] = ()
    option: str = "teacher"
    network_option: str = "--teacher-model"

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", model_path(self.path))
        if self.classes is not None:
            listed_once(self.classes)

    @property
    def rule(self) -> InputRule:
        """What the user says about how images become its input.

        Raises:
            UsageError: for a word that is not known.
        """
        return InputRule() if self.given_rule is None else parse_rule(self.given_rule, f"--{self.option}-input")

    @property
    def remedies(self) -> Remedies:
        """The options that change what the model is given."""
        return Remedies(size=f"--{self.option}-size", network=self.network_option)


def source_of(path: str, options: ModelOptions, **of_data: Any) -> ModelSource:
    """Return where the model of a command is; ``of_data`` is what :func:`given_for_data` found, or the classes."""
    return ModelSource(
        path=path,
        network=options.model,
        weights_key=options.weights_key,
        size=options.model_size,
        mean=options.model_mean,
        std=options.model_std,
        given_rule=options.model_input,
        outputs=options.model_outputs,
        option="model",
        network_option="--model",
        **of_data,
    )


def open_run(source: ModelSource) -> RunFolder | None:
    """Return the run folder of a model, None if the model is a file.

    Raises:
        TeacherError: if the path does not exist, or is a device or a pipe.
    """
    path = Path(source.path)
    if path.is_file():
        return None
    if not path.exists():
        raise TeacherError(
            f"there is no {source.option} {path}; expected a run folder, a weights file (.safetensors, .pt), a folder "
            "of transformers or timm, or an exported program (.pt2)"
        )
    if not path.is_dir():  # reading a named pipe or a device would not end
        raise TeacherError(f"{path} is neither a regular file nor a folder; expected a model")
    check_kind(path)
    weights = [name for name in ("model.safetensors", "pytorch_model.bin") if (path / name).is_file()]
    if weights and not (path / "config.yaml").exists():
        raise TeacherError(
            f"{path} has no config.json that names its network; give the weights file in it, {path / weights[0]}, and "
            f"its network with {source.network_option}"
        )
    if not (path / "config.yaml").exists():
        raise TeacherError(
            f"{path} is neither a run folder, which has a config.yaml, nor a folder of transformers or timm, which "
            "has a config.json; name a model in it"
        )
    return RunFolder.open(path)


def given_for_data(data: str, data_options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the options of a data set, as the user gave them, say about a model that is run on it.

    Example:
        >>> given_for_data("faces.csv", {"classes": "dog,cat", "size": 64, "label": "age"})
        {'classes': 'dog,cat', 'nameable': True, 'of_data': ('size',)}
    """
    given = tuple(name for name in ("size", "mean", "std") if data_options.get(name) is not None)
    if any(data_options.get(name) is not None for name in ("crop", "stored_size")):
        given = (*given, "crop")
    nameable = "classes" in option_names(data)
    return {"classes": data_options.get("classes"), "nameable": nameable, "of_data": given}
