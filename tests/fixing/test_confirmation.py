from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from fairdistill.errors import UsageError
from fairdistill.fixing.confirmation import predict_test_set
from tests.fixing.work.test_guessing import predictions


def test_a_model_that_predicts_a_single_class_for_the_test_images_is_refused_as_for_validation_images(monkeypatch):
    labels = np.arange(8) % 2
    found = predictions(labels, labels, np.zeros(8, np.int64))
    monkeypatch.setattr("fairdistill.fixing.confirmation.predictions_of", lambda *_, **__: found)
    work = SimpleNamespace(
        deployed=SimpleNamespace(model=None, source=SimpleNamespace(path="m.pt")),
        samples=SimpleNamespace(test=None), runtime=None,
    )  # fmt: skip
    with pytest.raises(UsageError, match=r"m\.pt predicts 'a' for every test image, so its gap of 0 says nothing"):
        predict_test_set(work, chosen=SimpleNamespace(adjust=None, source=None))
