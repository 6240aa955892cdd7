from __future__ import annotations

import errno
import shutil
import threading

import pytest
import torch

from fairdistill.caching import Feature, FeatureStore, place_key, store
from fairdistill.data.augmentation.pipeline import Pipeline
from fairdistill.errors import UsageError
from fairdistill.models import Tapped, Teacher, digit_net, find_taps
from fairdistill.models.reading import OutputReading
from fairdistill.system.runtime import choose_runtime
from fairdistill.training.networks.teacher_cache import CachedTeacher, LiveTeacher
from fairdistill.types import UNKNOWN_GROUP
from tests.conftest import TinyOptions, tiny_split
from tests.stops import Killed, at_call, kill

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
        self.states = dataset.recipe.num_states
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
            states=self.states,
            dtype=self.runtime.dtype,
        )

    def load(self, *names, memory=IN_MEMORY, progress=lambda text: None, **key):
        cache = self.cache(*names, **key)
        return CachedTeacher(cache.load(self.teacher, self.pipeline, self.runtime, memory=memory, progress=progress))

    def batch(self, index=(5, 0, 71, 5, 33), state=(0, 1, 1, 1, 0)):
        state = torch.tensor(state) if self.states == 2 else torch.zeros(len(index), dtype=torch.int64)
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


def test_hashes_that_a_kill_left_beside_a_finished_file_are_removed(case):
    case.load("feature")
    before = case.files()
    for path in case.folder.glob("*.bin"):
        path.with_suffix(".done").write_text("abc\n")
    case.load("feature")
    assert case.files() == before


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


def stop_at(number):
    """Stop the teacher at its call ``number``, as a kill would."""
    return lambda patch: patch.setattr(CountingTeacher, "__call__", at_call(number, kill, CountingTeacher.__call__))


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(store, "_CHUNK", 20)


def content(case):
    return {path.name: path.read_bytes() for path in case.folder.glob("*.bin")}


@pytest.mark.parametrize("number", [1, 3, 6, 8])
def test_a_killed_build_continues_where_it_was_and_ends_the_same(tmp_path, small_chunks, number):
    whole, case = Case(tmp_path / "whole"), Case(tmp_path / "cut")
    whole.load("feature", "logits")
    with pytest.MonkeyPatch.context() as patch:
        stop_at(number)(patch)
        with pytest.raises(Killed):
            case.load("feature", "logits")
    done = case.teacher.rows
    assert done == min(number - 1, 4) * 20 - 8 * (number > 4) + max(number - 5, 0) * 20
    said = []
    case.load("feature", "logits", progress=said.append)
    assert case.teacher.rows == 2 * 72
    assert content(case) == content(whole)
    before = done % 72
    assert (f"; {before} were done before" in said[0]) == (before > 0)
    assert {path.suffix for path in case.folder.iterdir()} == {".bin", ".lock"}


@pytest.mark.parametrize("damage", ["hash lost", "half a chunk", "wrong bytes", "no list"])
def test_of_a_killed_build_only_whole_chunks_are_used(tmp_path, small_chunks, damage):
    whole, case = Case(tmp_path / "whole"), Case(tmp_path / "cut")
    whole.load("feature")
    with pytest.MonkeyPatch.context() as patch:
        stop_at(4)(patch)
        with pytest.raises(Killed):
            case.load("feature")
    (part,), (done,) = case.folder.glob("*.part"), case.folder.glob("*.done")
    if damage == "hash lost":
        done.write_text("".join(done.read_text().splitlines(keepends=True)[:2]))
    elif damage == "half a chunk":
        part.write_bytes(part.read_bytes()[:-10])
    elif damage == "wrong bytes":
        part.write_bytes(part.read_bytes()[:-10] + b"0123456789")
    else:
        done.unlink()
    case.load("feature")
    assert case.teacher.rows == 60 + (2 * 72 - (0 if damage == "no list" else 40))
    assert content(case) == content(whole)


def test_features_read_at_one_place_share_a_file(case):
    assert case.points["feature"] == case.points["embedding"]
    cached = case.load("feature", "embedding")(case.batch())
    assert torch.equal(cached["feature"], cached["embedding"])
    assert len(case.files()) == 2
    assert case.teacher.rows == 2 * 72


def test_two_processes_share_one_build(case, tmp_path):
    """The second one waits, says so, and computes nothing."""
    said, begun, go = [], threading.Event(), threading.Event()
    original = CountingTeacher.__call__

    def slow(self, images):
        begun.set()
        go.wait(20)
        return original(self, images)

    def second():
        begun.wait(20)
        Case.load(case, "feature", progress=lambda text: (said.append(text), go.set()))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CountingTeacher, "__call__", slow)
        thread = threading.Thread(target=second)
        thread.start()
        case.load("feature")
        thread.join()
    assert said == ["teacher outputs: waiting for another process that computes them"]
    assert case.teacher.rows == 2 * 72


def test_a_disk_without_room_is_an_error_before_anything_is_computed(case, monkeypatch):
    monkeypatch.setattr(store.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 1000))
    with pytest.raises(UsageError, match=r"need 0 MiB in .* but its disk has 0 MiB left; free some space"):
        case.load("feature")
    assert case.teacher.rows == 0
    assert case.files() == []


def test_a_disk_that_fills_up_is_an_error_that_leaves_nothing(case, monkeypatch, small_chunks):
    def full():
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store.Part, "append", at_call(3, full, store.Part.append))
    with pytest.raises(UsageError, match=r"cannot write in .*: No space left on device; choose another folder"):
        case.load("feature")
    assert case.files() == []


def test_a_folder_that_cannot_be_made_is_an_error(case):
    case.folder.write_text("a file")
    with pytest.raises(UsageError, match=r"cannot write in .*: File exists; choose another folder"):
        case.load("feature")


def test_an_error_of_the_images_is_not_one_of_the_folder(case, monkeypatch):
    def missing(*_):
        raise FileNotFoundError(errno.ENOENT, "No such file", "image.png")

    monkeypatch.setattr(case.pipeline, "batch", missing)
    with pytest.raises(FileNotFoundError):
        case.load("feature")


def test_complete_files_are_only_read(case, monkeypatch):
    case.load("feature")
    monkeypatch.setattr(store.Path, "mkdir", kill)
    case.load("feature")


def test_long_builds_say_how_far_they_are(case, monkeypatch, small_chunks):
    monkeypatch.setattr(store, "_SECONDS", 0.0)
    monkeypatch.setattr(store, "_SHARE", 0.0)
    said = []
    case.load("feature", progress=said.append)
    assert said[0] == f"teacher outputs: computing 144 once, 0 MiB in {case.folder}"
    assert said[1:3] == ["teacher outputs: 20 of 144", "teacher outputs: 40 of 144"]
    assert len(said) == 8
