from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from fairdistill.errors import LastLayerError, TeacherError
from fairdistill.models import find_last_layer
from fairdistill.predictions.trained.features import features_of
from fairdistill.predictions.trained.model import ModelSource, load_model, predictions_of
from fairdistill.system.runtime import choose_runtime
from fairdistill.training import prepare, train
from tests.conftest import TinyOptions, tiny_split

DATA = tiny_split("test", None, TinyOptions())
RUNTIME = choose_runtime("cpu", "float32")


@pytest.fixture
def model(make_teacher):
    return load_model(ModelSource(path=make_teacher()), DATA, RUNTIME)


@pytest.fixture
def layer(model):
    return find_last_layer(model.network, torch.randn(4, 3, 16, 16))


@pytest.fixture
def said():
    return []


@pytest.fixture
def read(model, layer, tmp_path, said):
    def features(data=DATA, runtime=RUNTIME, **changes):
        given = {"folder": tmp_path / "features", "progress": said.append, **changes}
        return features_of(model, layer, data, runtime=runtime, **given)

    return features


def test_they_give_the_models_predictions(model, layer, read, said):
    features = read()
    expected = predictions_of(model, DATA, where="m", runtime=RUNTIME).probabilities
    found = (features @ layer.weight.T + layer.bias).double().softmax(1)
    torch.testing.assert_close(found, torch.from_numpy(expected), atol=1e-6, rtol=0)
    assert len(said) == 1
    assert torch.equal(read(), features)
    assert torch.equal(read(memory=0), features)
    assert len(said) == 1


def test_another_data_set_or_precision_has_files_of_its_own(read, tmp_path):
    read()
    half = choose_runtime("cpu", "bfloat16")
    assert read(runtime=half).dtype == torch.bfloat16
    read(DATA.subset(torch.arange(10)))
    assert len(list((tmp_path / "features").glob("*.bin"))) == 3


def test_a_teacher_cache_shares_its_file(quick, tiny_teacher, tmp_path):
    options = quick(method="mfd", teacher=tiny_teacher, cache_dir=str(tmp_path / "shared"))
    train(options, quiet=True)
    data = prepare(quick(method="mfd", teacher=tiny_teacher)).data.train
    model = load_model(ModelSource(path=tiny_teacher), data, RUNTIME)
    layer = find_last_layer(model.network, torch.randn(4, 3, 16, 16))
    said = []
    features = features_of(model, layer, data, folder=tmp_path / "shared", runtime=RUNTIME, progress=said.append)
    assert said == []
    own = features_of(model, layer, data, folder=tmp_path / "own", runtime=RUNTIME, progress=said.append)
    torch.testing.assert_close(features, own)


def test_too_many_features_are_refused_with_the_memory_they_would_take(model, layer, tmp_path):
    wide = replace(layer, weight=torch.zeros(3, 50_000))
    large = replace(DATA, name="large")
    with pytest.raises(LastLayerError, match=r"reads 50,000 features, 6 MiB for the 30 images of large; heads are"):
        features_of(model, wide, large, folder=tmp_path, runtime=RUNTIME, progress=print)
    assert list(tmp_path.glob("*.part")) == []


def test_a_feature_that_is_not_finite_is_an_error_that_names_the_image(model, read):
    with torch.no_grad():
        model.network.get_parameter("hidden.bias").fill_(float("inf"))
    with pytest.raises(TeacherError, match="not finite for test-0 of tiny/test"):
        read()
