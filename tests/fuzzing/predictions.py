"""Tables of predictions under options of every kind, read to labels, groups, predictions and probabilities."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np

from fairdistill.auditing import audit
from fairdistill.predictions import TableColumns, read_predictions
from tests.fuzzing.kind import Input, Kind
from tests.fuzzing.mutation import TEXTS, changed_bytes, changed_rows
from tests.fuzzing.tables import ROWS, written

OPTIONS: tuple[dict[str, Any], ...] = (
    {}, {"prob": "p_"}, {"pred": "pred", "prob": "p_a,p_b"}, {"score": "p_b"}, {"score": "p_a", "threshold": 0.3},
    {"classes": "a,b"}, {"classes": "b,a"}, {"group": "group,id"}, {"unknown": "u,NA,?"}, {"source": "group"},
    {"id": "id"}, {"bin": {"n": "2,5"}, "group": "n"}, {"bin": {"n": "3"}, "group": "group,n", "unknown": "?"},
    {"encoding": "latin-1"}, {"classes": "a,b,c"}, {"label": "pred", "pred": "label"},
)  # fmt: skip
WORDS = (
    "a", "b", "A", " a", "0", "1", "0.0", "1.0", "0.5", "True", "false", "u", "?", "NA", "nan", "1e-320", "-0.1",
    "100%",
    *TEXTS,
)  # fmt: skip
NUMBERED = [[*ROWS[0], "n"], *([*row, str(at)] for at, row in enumerate(ROWS[1:]))]


class ManyPredictions(Kind):
    """Tables of predictions; one in forty is audited."""

    inputs = 8_000

    def prepare(self, folder: Path) -> None:
        self._folder = folder

    def make(self, draw: random.Random) -> Input:
        numbered = draw.random() < 0.3
        rows = [
            [("01"["ab".index(text)] if numbered and text in ("a", "b") else text) for text in row] for row in NUMBERED
        ]
        rows = changed_rows(draw, rows, WORDS) if draw.random() < 0.8 else rows
        content = written(draw, rows, draw.choice((",", ",", ";", "\t")))
        audited = "audit" if draw.random() < 1 / 40 else "read"
        return Input(
            f"{audited}:{draw.randrange(len(OPTIONS))}",
            changed_bytes(draw, content) if draw.random() < 0.3 else content,
        )

    def read(self, given: Input) -> None:
        path = self._folder / "predictions.csv"
        path.write_bytes(given.content)
        what, _, at = given.form.partition(":")
        found = read_predictions(path, TableColumns(**OPTIONS[int(at)]))
        classes, groups, n = len(found.class_names), len(found.group_names), len(found)
        assert n
        assert 0 <= found.labels.min() <= found.labels.max() < classes
        assert 0 <= found.predicted.min() <= found.predicted.max() < classes
        assert -1 <= found.groups.min() <= found.groups.max() < groups
        assert len(set(found.class_names)) == classes
        assert len(set(found.group_names)) == groups
        if found.probabilities is not None:
            assert found.probabilities.shape == (n, classes)
            assert np.isfinite(found.probabilities).all()
        if what == "audit":
            result = audit(found, draws=200)
            assert result.text()
            result.to_dict()
