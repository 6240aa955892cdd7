"""Run folders that somebody edited or damaged: every file of a finished run in turn."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import torch
import yaml

from fairdistill.comparing import compare
from fairdistill.models import read_weights
from fairdistill.models.files.safe_file import safe_bytes
from fairdistill.predictions import run_predictions
from fairdistill.runs import RunFolder
from fairdistill.training import train
from fairdistill.training.progress.state import load_checkpoint, save_checkpoint
from tests.fuzzing.kind import Input, Kind
from tests.fuzzing.mutation import changed_bytes, changed_value

SHARES = {
    "config.yaml": 15, "result.json": 30, "environment.json": 8, "log.jsonl": 25, "model.safetensors": 10,
    "checkpoint/state.pt": 2, "predictions.csv": 3, "whole": 7,
}  # fmt: skip
ROWS = 40  # of the table of predictions: enough to read, and quick


class RunFolders(Kind):
    """The files of a run; a part is given to ``compare`` as a whole."""

    inputs = 65_000

    def prepare(self, folder: Path) -> None:
        run = train(
            data="digits-s", method="scratch", steps=2, batch_size=32, threads=1, device="cpu", precision="float32",
            out=str(folder / "run"), quiet=True,
        )  # fmt: skip
        self._run = run.path
        self._shorten()
        save_checkpoint(
            run.checkpoint_path, {"step": 1, "student": {"a": torch.ones(2)}, "meter": {"sums": {}, "steps": 0}}
        )
        weights = {"a": torch.ones(2, 2), "b": torch.zeros(1)}
        (run.path / "model.safetensors").write_bytes(
            safe_bytes(weights, {"network": "digit_net", "class_names": '["a","b"]'})
        )
        self._valid = {name: (run.path / name).read_bytes() for name in SHARES if name != "whole"}

    def _shorten(self) -> None:
        """Leave out most of the predictions, and count again."""
        path = self._run / "predictions.csv"
        lines = path.read_text().splitlines()[: ROWS + 1]
        path.write_text("\n".join(lines) + "\n")
        result = json.loads((self._run / "result.json").read_text())
        counts = torch.zeros(torch.tensor(result["counts"]).shape, dtype=torch.int64)
        for line in lines[1:]:
            label, group, predicted = map(int, line.split(",")[2:5])
            counts[group, label, predicted] += 1
        (self._run / "result.json").write_text(json.dumps({**result, "counts": counts.tolist()}))

    def make(self, draw: random.Random) -> Input:
        form = draw.choices(list(SHARES), list(SHARES.values()))[0]
        name = draw.choice(("config.yaml", "result.json", "log.jsonl")) if form == "whole" else form
        valid = self._valid[name]
        if name.endswith((".yaml", ".json", ".jsonl")) and draw.random() < 0.75:
            valid = self._edited(draw, name, valid)
            if draw.random() < 0.8:
                return Input(f"{form}:{name}", valid)
        return Input(f"{form}:{name}", changed_bytes(draw, valid))

    def _edited(self, draw: random.Random, name: str, valid: bytes) -> bytes:
        if name == "config.yaml":
            value = yaml.load(valid, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
            return json.dumps(changed_value(draw, value)).encode()  # which is YAML, too
        value = [json.loads(line) for line in valid.splitlines()] if name == "log.jsonl" else json.loads(valid)
        value = changed_value(draw, value)
        lines: list[Any] = value if name == "log.jsonl" and isinstance(value, list) else [value]
        return "\n".join(map(json.dumps, lines)).encode() + b"\n"

    def read(self, given: Input) -> None:
        form, _, name = given.form.partition(":")
        path = self._run / name
        path.write_bytes(given.content)
        try:
            self._read(form)
        finally:
            path.write_bytes(self._valid[name])

    def _read(self, form: str) -> None:
        if form == "checkpoint/state.pt":
            load_checkpoint(self._run / form)
            return
        if form == "model.safetensors":
            read_weights(self._run / form)
            return
        run = RunFolder.open(self._run)
        if form == "whole":
            compare([run.path]).text()
        elif form == "predictions.csv":
            run_predictions(run)
        elif form == "log.jsonl":
            run.read_log()
        else:
            _ = run.config, run.environment, run.result
