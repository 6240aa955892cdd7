from __future__ import annotations

import pytest
import torch

from fairdistill.caching import Feature, FeatureStore, place_key
from fairdistill.data.images.augmentation import Pipeline
from fairdistill.models import Tapped, Teacher, digit_net, find_taps
from fairdistill.models.reading import OutputReading
from fairdistill.system.runtime import choose_runtime
from fairdistill.training.teacher_cache import CachedTeacher, LiveTeacher
from fairdistill.types import UNKNOWN_GROUP
from tests.conftest import TinyOptions, tiny_split

CPU = torch.device("cpu")
IN_MEMORY, MAPPED = 2**30, 0


class CountingTeacher(Teacher):
    rows = 0

    def __call__(self, images):
        self.rows += len(images)
        return super().__call__(images)


class Case:
    """A teacher, its data and its cache folder."""

    def __init__(self, folder, *, precision="float32", flip=True):
        torch.manual_seed(0)
        self.folder, self.runtime = folder, choose_runtime("cpu", precision)
        dataset = tiny_split("train", None, TinyOptions(flip=flip, unknown=3))
        self.pipeline, self.rows = Pipeline(dataset, device=CPU, seed=0), len(dataset)
        network, images = digit_net(3), torch.zeros(1, 3, 16, 16)
        self.points = find_taps(network, images)
        taps = Tapped(network.eval(), self.points)(images)
        self.shapes = {name: tuple(value.shape[1:]) for name, value in taps.items()}
        self.teacher = CountingTeacher(network, self.points, keep=self.shapes)

    def cache(self, *names, key="teacher/data"):
        return FeatureStore(
            self.folder,
            key=key,
            features={
                name: Feature(place_key(self.points.get(name), OutputReading()), self.shapes[name]) for name in names
            },
            rows=self.rows,
            states=self.pipeline.num_states,
            dtype=self.runtime.dtype,
        )

    def load(self, *names, memory=IN_MEMORY, progress=lambda text: None, **key):
        cache = self.cache(*names, **key)
        return CachedTeacher(cache.load(self.teacher, self.pipeline, self.runtime, memory=memory, progress=progress))

    def batch(self, index=(5, 0, 71, 5, 33), state=(0, 1, 1, 1, 0)):
        state = torch.tensor(state) if self.pipeline.num_states == 2 else torch.zeros(len(index), dtype=torch.int64)
        return self.pipeline.batch(torch.tensor(index), state)

    def files(self):
        return sorted(path.name for path in self.folder.iterdir() if path.suffix != ".lock")


@pytest.fixture
def case(tmp_path):
    return Case(tmp_path / "cache")


@pytest.mark.parametrize("memory", [IN_MEMORY, MAPPED])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("flip", [True, False])
def test_cached_features_are_those_of_the_live_teacher(tmp_path, memory, precision, flip):
    case = Case(tmp_path / "cache", precision=precision, flip=flip)
    names = ("feature", "logits", "map")
    live = LiveTeacher(case.teacher, case.runtime, frozenset(names))
    cached = case.load(*names, memory=memory)
    batch = case.batch()
    assert set(cached(batch)) == set(live(batch)) == set(names)
    for name, value in live(batch).items():
        assert cached(batch)[name].dtype == case.runtime.dtype
        torch.testing.assert_close(
            cached(batch)[name].float(),
            value.float(),
            rtol=1e-2,
            atol=1e-2 if precision == "bfloat16" else 1e-5,
        )


def test_features_in_memory_and_mapped_ones_are_the_same_to_the_bit(case):
    in_memory, mapped = case.load("map", memory=IN_MEMORY), case.load("map", memory=MAPPED)
    assert torch.equal(in_memory(case.batch())["map"], mapped(case.batch())["map"])


def test_an_image_and_its_mirror_image_have_features_of_their_own(case):
    cached = case.load("feature")
    plain, mirrored = (cached(case.batch(state=[s] * 5))["feature"] for s in (0, 1))
    assert not torch.isclose(plain, mirrored).all(dim=1).any()
    assert UNKNOWN_GROUP in case.pipeline.groups  # rows of unknown group are cached as any other


def test_every_image_is_computed_once_in_each_state_and_never_again(case):
    case.load("feature", "logits")
    assert case.teacher.rows == 2 * 72
    for memory in (IN_MEMORY, MAPPED):
        case.load("feature", "logits", memory=memory)
        case.load("logits", memory=memory)
    assert case.teacher.rows == 2 * 72


def test_a_feature_that_is_missing_is_added_and_the_others_stay(case):
    case.load("feature")
    before = {path: path.stat().st_ino for path in case.folder.glob("*.bin")}
    assert case.cache("feature", "logits").missing_bytes == 2 * 72 * 3 * 4
    assert case.cache("feature", "logits").num_bytes == 2 * 72 * (96 + 3) * 4
    case.load("feature", "logits")
    assert all(path.stat().st_ino == number for path, number in before.items())
    assert len(case.files()) == 4
    assert case.cache("feature", "logits").missing_bytes == 0


def test_another_key_is_another_file(case):
    case.load("feature", key="teacher/data")
    case.load("feature", key="teacher/other data")
    assert case.teacher.rows == 2 * 2 * 72
    assert len(case.files()) == 4


@pytest.mark.parametrize("damage", ["cut", "empty", "longer", "part"])
def test_a_file_that_is_not_whole_is_made_anew(case, damage):
    expected = case.load("feature")(case.batch())["feature"]
    path, other = sorted(case.folder.glob("*.bin"))
    content = path.read_bytes()
    if damage == "part":
        path.rename(path.with_suffix(".part"))
        path.with_suffix(".part").write_bytes(b"\xff" * len(content))
    else:
        path.write_bytes({"cut": content[:-4], "empty": b"", "longer": content + b"0000"}[damage])
    assert torch.equal(case.load("feature")(case.batch())["feature"], expected)
    assert case.teacher.rows == 3 * 72
    assert case.files() == [path.name, other.name]
    assert path.read_bytes() == content


def test_a_build_that_is_cut_off_leaves_no_file_that_a_later_run_would_take(case, monkeypatch):
    def fail(self, images):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Teacher, "__call__", fail)
        with pytest.raises(KeyboardInterrupt):
            case.load("feature")
    assert list(case.folder.glob("*.bin")) == []
    assert bool(case.load("feature")(case.batch())["feature"].any())
