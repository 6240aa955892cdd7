"""Files of options in YAML, and JSON of any shape: read, and made into the options of a training."""

from __future__ import annotations

import json
import random
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from fairdistill.cli.parser import Parser, with_configurations
from fairdistill.cli.training import parse_training
from fairdistill.errors import UsageError
from fairdistill.text.parsing import from_json, from_yaml
from fairdistill.training import TrainOptions
from tests.fuzzing.kind import Input, Kind
from tests.fuzzing.mutation import changed_bytes, changed_value

OPTIONS = {**asdict(TrainOptions(method="mfd", teacher="t", set={"mfd.strength": 1.0})), "data_options": {"skew": 0.8}}
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class Configurations(Kind):
    """What ``--config`` names; a small part goes through the whole command line, which takes longer."""

    inputs = 160_000

    def prepare(self, folder: Path) -> None:
        self._folder = folder
        some = {name: OPTIONS[name] for name in ("lr", "set", "epochs", "method", "data_options", "seed", "augment")}
        self._texts = [yaml.dump(each, Dumper=DUMPER).encode() for each in (OPTIONS, some, {"a": [1, {"b": None}]})]

    def make(self, draw: random.Random) -> Input:
        form = draw.choices(("yaml", "options", "json", "command"), (200, 250, 148, 2))[0]
        if form == "yaml":
            return Input(form, changed_bytes(draw, draw.choice(self._texts)))
        value: Any = OPTIONS
        for _ in range(draw.choice((1, 1, 2, 3))):
            value = changed_value(draw, value)
        content = json.dumps(value).encode()
        return Input(form, changed_bytes(draw, content) if form == "json" or draw.random() < 0.1 else content)

    def read(self, given: Input) -> None:
        if form := given.form:
            path = self._folder / "options.yaml"
            path.write_bytes(given.content)
        if form == "command":
            parser = Parser("train", "fuzzing")
            parse_training(parser, ["--config", str(path)])
            return
        if form == "yaml":
            with_configurations(["--config", str(path)])
            return
        try:
            value = from_json(given.content)
        except ValueError:
            return
        if form == "json":
            from_yaml_of(value)
        elif isinstance(value, dict):
            TrainOptions.from_mapping(value)


def from_yaml_of(value: Any) -> None:
    """Write a value as YAML and read it again: equal, or refused."""
    try:
        text = yaml.dump(value, Dumper=DUMPER, sort_keys=False, allow_unicode=True)
        assert repr(from_yaml(text)) == repr(value), "it is read as something else"
    except (ValueError, yaml.YAMLError) as error:
        raise UsageError(str(error) or "refused") from error
