from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from fairdistill.predictions.trained.evaluation import evaluate
from fairdistill.training.progress import evaluation


@pytest.fixture
def judged_as() -> Callable[..., AbstractContextManager[None]]:
    """Let the next evaluations say other numbers, given by name; those after them say what is true."""

    @contextmanager
    def patched(**sequences: Sequence[float]) -> Iterator[None]:
        said = [dict(zip(sequences, values, strict=True)) for values in zip(*sequences.values(), strict=True)]

        def judge(logits: Any, dataset: Any, kind: str = "logits") -> Any:
            judged = evaluate(logits, dataset)
            return dataclasses.replace(judged, **said.pop(0)) if said else judged

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(evaluation, "evaluate_outputs", judge)
            yield

    return patched
