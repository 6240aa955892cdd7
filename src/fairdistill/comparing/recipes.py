"""Which runs belong in one row: those whose configurations differ only in seeds, paths and hardware."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypeVar

from fairdistill.runs import RunFolder, without_defaults

# Options that do not make a different recipe: seeds, paths, hardware, and anything the recipe states in another way.
_NOT_RECIPE = (
    "data", "data_root", "data_options", "teacher", "seed", "split_seed", "epochs", "steps", "out", "device", "compile",
    "cuda_graph", "threads", "cache_memory", "cache_dir", "teacher_cache", "logger",
)  # fmt: skip

# Options of a data set that do not change which data it is; its seed belongs to the run.
_NOT_DATA = ("data_seed", "download", "cache", "cache_format", "image_cache", "workers")

# What was done before there were these options, which are not simply off by default.
_EARLIER: Mapping[str, Any] = {"interpolation": "bilinear", "antialias": True}

# Options of a data set that a caption leaves out: how images are prepared and how the table is written.
_NOT_IN_CAPTION = (
    "image", "encoding", "size", "crop", "stored_size", "interpolation", "antialias", "exif", "bits",
    "flip", "mean", "std", "test_share",
)  # fmt: skip


@dataclass(frozen=True)
class FinishedRun:
    """A finished run, read once.

    Attributes:
        given: the path as the caller wrote it.
        folder: the run folder.
        config: its configuration.
        result: its result.
    """

    given: str
    folder: RunFolder
    config: Mapping[str, Any]
    result: Mapping[str, Any]

    @classmethod
    def read(cls, path: str | Path) -> FinishedRun:
        """Read a finished run.

        Raises:
            RunFolderError: if the folder holds no finished run.
        """
        folder = RunFolder.open(path)
        return cls(str(path), folder, folder.config, folder.result)

    @property
    def seed(self) -> int:
        """The seed of the run."""
        seed: int = self.config["seed"]
        return seed

    @property
    def seeds(self) -> tuple[Any, ...]:
        """The seeds of the run, its data and its split."""
        return self.seed, self.config["data_options"].get("data_seed"), self.config.get("split_seed")

    @cached_property
    def data_options(self) -> dict[str, Any]:
        """The options that determine which data the run used, except for the seed; without those that are off.

        Runs older than an option do not have it.
        """
        of_data = {name: value for name, value in self.config["data_options"].items() if name not in _NOT_DATA}
        return {name: value for name, value in of_data.items() if not _is_off(name, value)}

    @property
    def data(self) -> str:
        """The data set and its options in words; options that are off are left out."""
        name = str(self.config["data"])
        parts = [Path(name).name if "/" in name else name]
        for option, value in self.data_options.items():
            if option in _NOT_IN_CAPTION or value in (None, False, {}):
                continue
            shown = (
                ", ".join(f"{key}={item}" for key, item in value.items()) if isinstance(value, Mapping) else str(value)
            )
            parts.append(f"{option.replace('_', ' ')} {shown}")
        return ", ".join(parts)

    @property
    def tested_on(self) -> str:
        """A text that is equal for two runs if they were tested on the same samples."""
        digest: str | None = self.result.get("digests", {}).get("test")
        return digest or json.dumps({"data": self.config["data"], **self.data_options}, sort_keys=True)

    @property
    def code(self) -> dict[str, str]:
        """A hash of each file of own code that it was trained with; empty for runs that are older than this record."""
        return dict(self.folder.environment.get("code", {}))

    @property
    def teacher_settings(self) -> dict[str, Any]:
        """The settings of its teacher's run; empty for a file, without a teacher, and for runs that are older."""
        return dict((self.result.get("teacher") or {}).get("settings", {}))

    @property
    def recipe(self) -> Recipe:
        """Everything that must be equal for two runs to share a row."""
        known = without_defaults(self.config, keep="last" if self.config["protocol"] == "paper" else "loss")
        settings = {name: value for name, value in known.items() if name not in _NOT_RECIPE}
        settings |= {
            "method": self.config["method"],
            "set": settings.get("set", self.config["set"]),
            "data_options": self.data_options,
            "steps": self.result["budget"]["steps"],
            "teacher": _taught_by(self.result),
        }
        if self.code:
            settings["code"] = self.code
        return Recipe.of(settings)


@dataclass(frozen=True)
class Recipe:
    """A configuration without seeds, paths and hardware, as JSON: a key by which runs are grouped.

    It is empty where nothing is recorded, and then false.
    """

    text: str = "{}"

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Recipe:
        """Return the recipe with this content, equal for equal content."""
        return cls(json.dumps(content, sort_keys=True))

    @cached_property
    def content(self) -> dict[str, Any]:
        """The configuration; options of the data set and settings of the method's terms are parts of their own."""
        read: dict[str, Any] = json.loads(self.text)
        return read

    def __bool__(self) -> bool:
        return bool(self.content)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings by name; including those of the data set and of the method's terms, and files of own code."""
        inner = ("data_options", "set", "code")
        plain = {name: value for name, value in self.content.items() if name not in inner}
        return plain | {name: value for part in inner for name, value in self.content.get(part, {}).items()}

    def and_of_teacher(self, settings: Mapping[str, Any]) -> Recipe:
        """Return the recipe with some settings of the teacher's run."""
        return Recipe.of({**self.content, **{f"teacher's {name}": value for name, value in settings.items()}})

    def differs(self, others: list[Recipe]) -> dict[str, Any]:
        """Return the settings that set this recipe apart from others of its method, and its protocol if they mix.

        A named recipe is always among them, and stands for its own settings.
        """
        own, every = self.settings, [other.settings for other in others]
        named = own.get("recipe")
        namesakes = [o for o in every if o["method"] == own["method"] and o.get("recipe") == named]
        differs = {} if named is None else {"recipe": named}
        differs |= {name: value for name, value in own.items() if any(other.get(name) != value for other in namesakes)}
        if any(other["protocol"] != own["protocol"] for other in every):
            differs = {"protocol": own["protocol"], **differs}
        return differs


class _Taught(Protocol):
    """A run, or a row of some."""

    @property
    def recipe(self) -> Recipe: ...

    @property
    def teacher_settings(self) -> Mapping[str, Any]: ...


Taught = TypeVar("Taught", bound=_Taught)


def by_recipe(runs: Iterable[Taught]) -> dict[Recipe, list[Taught]]:
    """Return the runs, or rows, of each recipe.

    Runs of one recipe whose teachers' runs had different settings are of several; where those are not recorded, the
    settings that differ between the others are None.
    """
    alike: dict[Recipe, list[Taught]] = {}
    for run in runs:
        alike.setdefault(run.recipe, []).append(run)
    found: dict[Recipe, list[Taught]] = {}
    for recipe, members in alike.items():
        known = [run.teacher_settings for run in members if run.teacher_settings]
        names = {name for one in known for name in one if any(one[name] != other.get(name) for other in known)}
        for run in members:
            own = {name: run.teacher_settings.get(name) for name in names}
            found.setdefault(recipe.and_of_teacher(own), []).append(run)
    return found


def _is_off(option: str, value: Any) -> bool:
    """Return whether a data set's option says what a run did that did not have it."""
    if option in _EARLIER:
        return value is None or value == _EARLIER[option]
    return value is None or value is False or value == {}


def _taught_by(result: Mapping[str, Any]) -> str:
    """Return what taught a run: another run's method, protocol, steps and recipe, or a weights file's hash; else ""."""
    taught = result.get("teacher")
    if not taught:
        return ""
    if taught.get("method") is None:
        return f"file {(result.get('digests', {}).get('teacher') or '')[:8]}"
    recipe = taught.get("recipe") or "default"  # older runs have none
    named = [] if recipe == "default" else [f"recipe {recipe}"]
    return ", ".join([*(str(taught[name]) for name in ("method", "protocol", "steps")), *named])
