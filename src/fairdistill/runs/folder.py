"""The run folder, the only record of a run: written and read only here."""

from __future__ import annotations

import codecs
import csv
import glob
import io
import json
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from fairdistill.contract import Location, given_path, present_names
from fairdistill.errors import RunFolderError
from fairdistill.runs import shapes
from fairdistill.runs.creation import check_writable, new_folder
from fairdistill.runs.files import (
    Record,
    finite_or_null,
    read_json,
    recorded,
    resume_command,
    write_bytes,
    write_json,
    write_text,
)
from fairdistill.system.atomic import no_room, replaced
from fairdistill.system.locks import held
from fairdistill.system.regular import text_of
from fairdistill.text.parsing import from_json, from_yaml

if TYPE_CHECKING:
    from torch import nn

FORMAT_VERSION = 2
"""The version of run folders that is written; all versions from 1 to this one are read.

2: the checkpoint ends with a digest, and the metadata of ``model.safetensors`` contain one.
"""
_MOST_YAML = 4  # MiB


class RunFolder:
    """One run on disk. Every file appears whole or not at all, except for the log, which grows.

    Attributes:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"RunFolder({str(self.path)!r})"

    def __fspath__(self) -> str:
        """Return the folder, so that every function that takes a path takes the run."""
        return str(self.path)

    @classmethod
    def check_new(cls, path: Path) -> None:
        """Raise a RunFolderError if ``path`` cannot become a new run folder; nothing is written."""
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            unfinished = (path / "config.yaml").exists() and not (path / "result.json").exists()
            resume = f", or continue that run with: {resume_command(path)}" if unfinished else ""
            raise RunFolderError(f"{path} exists already; choose another folder with --out{resume}")
        check_writable(path)

    @classmethod
    def create(cls, path: Path, *, config: Mapping[str, Any], environment: Mapping[str, Any]) -> RunFolder:
        """Create a new run folder that holds its configuration and environment."""
        cls.check_new(path)
        with new_folder(path) as part:
            run = cls(part)
            run.write_json("environment.json", environment)
            head = {"format_version": FORMAT_VERSION}
            run._write_text("config.yaml", _as_yaml({**head, **config}))
        return cls(path)

    @classmethod
    def open(cls, path: Location) -> RunFolder:
        """Return the run in an existing folder.

        Raises:
            RunFolderError: if it is not a run folder, or was written in another format.
            UsageError: if ``path`` is no path.
        """
        path = given_path("a run folder", path)
        run = cls(Path(path))
        if not (run.path / "config.yaml").is_file():
            if (other := _other_than_run(run.path)) is not None:
                raise RunFolderError(f"{path} {other}")
            what = "has no config.yaml, so it is not a run folder" if run.path.exists() else "does not exist"
            raise RunFolderError(f"{path} {what}; create one with: fairdistill train --out {shlex.quote(str(path))}")
        version = run._read_yaml().get("format_version")
        if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version <= FORMAT_VERSION:
            raise RunFolderError(
                f"{path}/config.yaml has format_version {version!r}, but this version reads 1 to {FORMAT_VERSION}; "
                "use the fairdistill version named in its environment.json, or a newer one"
            )
        return run

    @contextmanager
    def lock(self, *, seconds: float = 1.0) -> Iterator[None]:
        """Lock the folder for this process; the lock is released even if the process is killed.

        Args:
            seconds: how long to wait for another process; one that only checks the lock holds it for less than the
                default.

        Raises:
            RunFolderError: if another process holds it, or one may not write in the folder.
        """
        with held(self.path / ".lock", seconds=seconds) as ours:
            if not ours:
                raise RunFolderError(f"{self.path} is in use by another process; wait for it or stop it")
            yield

    @property
    def format_version(self) -> int:
        """The version of its format; see :data:`FORMAT_VERSION`."""
        return int(self._read_yaml()["format_version"])

    @property
    def config(self) -> dict[str, Any]:
        """The resolved configuration, by option name."""
        config = self._read_yaml()
        config.pop("format_version")
        if isinstance(config.get("set"), Mapping):
            config["set"] = present_names(config["set"])
        return config

    def move(self, places: Mapping[str, str | None]) -> None:
        """Record in the configuration where the run's folders are now; the rest of it stays."""
        self._write_text("config.yaml", _as_yaml({**self._read_yaml(), **places}))

    @property
    def environment(self) -> dict[str, Any]:
        """Versions, hardware, commit and seed."""
        return self._read_json("environment.json", shapes.ENVIRONMENT)

    @property
    def result(self) -> dict[str, Any]:
        """The result of a finished run.

        Raises:
            RunFolderError: if the run is not finished.
        """
        if not (self.path / "result.json").exists():
            raise RunFolderError(
                f"{self.path} is not finished: it has no result.json; continue it with: {resume_command(self.path)}"
            )
        content = self._read_json("result.json", shapes.RESULT)
        shapes.check_counts(self.path / "result.json", content)
        return content

    def result_for_one_label(self, why: str) -> dict[str, Any]:
        """Return the result of a finished run.

        Raises:
            RunFolderError: if the run is not finished, or was trained on several attributes; ``why`` says what takes
                only one.
        """
        result = self.result
        if "attributes" in result:
            raise RunFolderError(
                f"{self.path} was trained on several attributes ({', '.join(result['attributes'])}), but {why}; audit "
                f"it with: fairdistill audit {shlex.quote(str(self.path))}"
            )
        return result

    @property
    def embedding(self) -> dict[str, Any] | None:
        """The result of ``fairdistill embed``, None if it has not been run."""
        return self._read_json("embedding.json", {}) if (self.path / "embedding.json").exists() else None

    @property
    def logger_id(self) -> str | None:
        """What identifies the run for its logger, None if it has had none."""
        path = self.path / "logger.json"
        return str(self._read_json("logger.json", {"id": shapes.TEXT})["id"]) if path.exists() else None

    @property
    def finished(self) -> bool:
        """Whether the run has its result."""
        return (self.path / "result.json").exists()

    @property
    def checkpoint_path(self) -> Path:
        """The file from which the trainer resumes exactly."""
        return self.path / "checkpoint" / "state.pt"

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a JSON file; numbers that are not finite become null."""
        write_json(self.path / name, content)

    def write_arrays(self, name: str, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Write named arrays of numbers or strings to a compressed ``.npz`` file."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]  # NumPy's stub takes any name for allow_pickle
        write_bytes(self.path / name, buffer.getvalue())

    def append_log(self, row: Mapping[str, Any]) -> None:
        """Add one row to ``log.jsonl``; numbers that are not finite become null."""
        path = self.path / "log.jsonl"
        line = json.dumps(finite_or_null(row), ensure_ascii=False, allow_nan=False) + "\n"
        try:
            with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())  # before the checkpoint that counts this row
        except OSError as error:
            raise no_room(error, path, needed=len(line)) from error

    def read_log(self) -> list[dict[str, Any]]:
        """Return the rows of ``log.jsonl``."""
        path = self.path / "log.jsonl"
        if not path.exists():
            return []
        try:
            rows = [from_json(line) for line in text_of(path).split("\n") if line]
        except (OSError, ValueError) as error:
            repair = "" if self.finished else f"; if the run was killed, repair it with: {resume_command(self.path)}"
            raise RunFolderError(f"cannot read {path}: {error}{repair}") from error
        for number, row in enumerate(rows, 1):
            where = Path(f"{path}, line {number}")
            shapes.check_shape(where, row, shapes.LOG_ROW)
            named = {**row, "loss": present_names(row["loss"])} if "loss" in row else row
            rows[number - 1] = recorded(where, named)
        return rows

    def truncate_log(self, rows: int) -> None:
        """Keep the first ``rows`` rows of the log: a resumed run writes the later ones again."""
        path = self.path / "log.jsonl"
        lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
        write_bytes(path, b"".join(lines[:rows]))

    def write_model(self, network: nn.Module, metadata: Mapping[str, str]) -> None:
        """Write ``model.safetensors``, with the metadata needed to build the network again."""
        from fairdistill.models.files.safe_file import safe_bytes

        content = safe_bytes(network.state_dict(), metadata)
        with replaced(self.path / "model.safetensors", needed=len(content), alone=True) as file:
            file.write(content)

    def write_predictions(
        self,
        name: str,
        *,
        ids: Sequence[str],
        source_ids: Sequence[str],
        labels: Sequence[int],
        groups: Sequence[int],
        probabilities: np.ndarray[Any, Any],
    ) -> None:
        """Write a predictions table: one row per sample; label, group and pred are indices, an unknown group is empty.

        Each probability is written with enough digits to tell it from every other float32, so that ``pred`` is where
        the written ones are largest.
        """
        predicted = probabilities.argmax(1).tolist()
        with replaced(self.path / name, alone=True) as raw:
            file = codecs.lookup("utf-8").streamwriter(raw, "backslashreplace")
            writer = csv.writer(file)
            scores = [f"p_{label}" for label in range(probabilities.shape[1])]
            writer.writerow(["id", "source_id", "label", "group", "pred", *scores])
            for row in zip(ids, source_ids, labels, groups, predicted, probabilities, strict=True):
                group = "" if row[3] < 0 else row[3]
                writer.writerow([row[0], row[1], row[2], group, row[4], *map(str, row[5])])

    def write_skipped(self, skipped: Sequence[tuple[str, str]]) -> None:
        """Write ``skipped.csv``: the broken images that were left out, and why; nothing if there are none."""
        if skipped:
            text = io.StringIO()
            csv.writer(text).writerows([("image", "reason"), *skipped])
            self._write_text("skipped.csv", text.getvalue())

    def _write_text(self, name: str, text: str) -> None:
        write_text(self.path / name, text)

    def _read_json(self, name: str, shape: Mapping[str, Any]) -> dict[str, Any]:
        content = read_json(self.path / name)
        shapes.check_shape(self.path / name, content, shape)
        return content

    def _read_yaml(self) -> dict[str, Any]:
        path = self.path / "config.yaml"
        try:
            content = deepcopy(_parsed(text_of(path, most=_MOST_YAML)))
        except (OSError, ValueError) as error:
            raise RunFolderError(f"cannot read {path}: {error}") from error
        if not isinstance(content, dict):
            raise RunFolderError(f"{path} is not the configuration of a run: expected named options")
        if not all(isinstance(name, str) for name in content):
            raise RunFolderError(f"{path} is not the configuration of a run: its names must be texts")
        shapes.check_shape(path, content, shapes.CONFIG)
        return Record(path, content)


@lru_cache(maxsize=128)
def _parsed(text: str) -> Any:
    """Parse a configuration; a report reads those of its runs many times."""
    return from_yaml(text)


def _as_yaml(content: Mapping[str, Any]) -> str:
    text: str = yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True)
    return text


def _other_than_run(path: Path) -> str | None:
    """Return what a path is that leads to no run, and what to do with it; None if that is not known."""
    quoted = shlex.quote(str(path))
    if path.is_file():
        return f"is a file, not a run folder; a table of predictions is for: fairdistill audit {quoted}"
    if (path / "fix.json").is_file():
        return f"is the folder of a fix, not of a run; its report is {path / 'report.html'}"
    if (path / "grid.json").is_file():
        return f"is the folder of a grid, not of a run; for its table: fairdistill bench table {quoted}"
    if (path / "study.json").is_file():
        return "is the folder of a search, not of a run; its runs are the folders trial-N in it"
    if not path.exists() and glob.has_magic(str(path)):
        return "matches no folder; check the pattern, or name the run folders"
    return None
