from __future__ import annotations

import gzip
import io
import os
import pickle
import pickletools
import re
import tarfile
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fairdistill.data import GroupedDataset, load
from fairdistill.data.datasets import cifar10s
from fairdistill.errors import ChecksumError, DataError, UsageError
from tests.data import cifar_files
from tests.data.cifar_files import FOLDER, TRAIN_NAMES, archived, batch, md5, write_folder
from tests.data.making import numpy_shuffle, walked_groups

ROWS = 20  # of each small training batch


def pillow_grey(images: np.ndarray) -> np.ndarray:
    """Pillow's mode "L" of [N, 3, H, W] images, on three channels; all of them as one tall image."""
    n, _, height, width = images.shape
    tall = np.ascontiguousarray(images.transpose(0, 2, 3, 1)).reshape(n * height, width, 3)
    grey = np.asarray(Image.fromarray(tall).convert("L")).reshape(n, 1, height, width)
    return np.broadcast_to(grey, images.shape)


def pictures(data: np.ndarray) -> np.ndarray:
    return data.reshape(-1, 3, 32, 32)


class Small:
    """The six files with random pixels, ten rows of every class in training and one in test."""

    def __init__(self) -> None:
        draw = np.random.default_rng(0)
        # Of 32 values, so that gzip compresses them as it does photographs.
        self.train = 8 * draw.integers(0, 32, (5 * ROWS, 3072), dtype=np.uint8)
        self.test = 8 * draw.integers(0, 32, (10, 3072), dtype=np.uint8)
        self.labels = draw.permutation(np.repeat(np.arange(10), 5 * ROWS // 10))
        self.files = {
            name: batch(self.train[part], self.labels[part].tolist())
            for name, part in zip(TRAIN_NAMES, np.split(np.arange(5 * ROWS), 5), strict=True)
        }
        self.files["test_batch"] = batch(self.test, list(range(10)))


def publish(monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes]) -> None:
    """Let these be the official files."""
    for name, content in files.items():
        monkeypatch.setitem(cifar10s.MD5, name, md5(content))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Small:
    made = Small()
    publish(monkeypatch, made.files)
    monkeypatch.delenv("FAIRDISTILL_DATA", raising=False)
    return made


@pytest.fixture
def root(small: Small, tmp_path: Path) -> Path:
    write_folder(tmp_path, small.files)
    return tmp_path


@pytest.mark.parametrize(
    "place",
    ["folder", "parent of folder", "archive", "parent of archive", "variable", "folder before archive"],
)
def test_the_official_files_are_read_wherever_they_are(
    place: str, small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root: Path | None = tmp_path
    if "archive" in place:
        content = b"not an archive" if place == "folder before archive" else archived(small.files)
        (tmp_path / cifar10s.ARCHIVE).write_bytes(content)
    if "archive" not in place or place == "folder before archive":
        write_folder(tmp_path, small.files)
    if place in ("folder", "archive"):
        root = tmp_path / (FOLDER if place == "folder" else cifar10s.ARCHIVE)
    if place == "variable":
        monkeypatch.setenv("FAIRDISTILL_DATA", str(tmp_path))
        root = None
    train, test = (load("cifar10s", split, root=root) for split in ("train", "test"))
    assert (train.labels.numpy() == small.labels).all()
    assert (test.images[10:].numpy() == pictures(small.test)).all()


def test_a_given_root_wins_over_the_variable(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRDISTILL_DATA", str(tmp_path / "nothing here"))
    assert len(load("cifar10s", "test", root=root)) == 20


def test_test_set_is_every_picture_in_grey_and_then_in_colour(small: Small, root: Path) -> None:
    test = load("cifar10s", "test", root=root, data_seed=3)
    raw = pictures(small.test)
    assert (test.images[:10].numpy() == pillow_grey(raw)).all()
    assert (test.images[10:].numpy() == raw).all()
    assert test.labels.tolist() == [*range(10), *range(10)]
    assert test.groups.tolist() == [0] * 10 + [1] * 10
    assert test.source_ids[:10] == test.source_ids[10:]
    assert len(set(test.source_ids)) == 10
    assert len(set(test.ids)) == 20
    assert test.group_names == ("grey", "colour")
    assert test.class_names[0] == "airplane"
    assert test.class_names[9] == "truck"


@pytest.mark.parametrize(("skew", "data_seed"), [(0.8, 0), (0.8, 7), (0.3, 1), (1.0, 0), (0.0, 2**32 - 1)])
def test_colouring_follows_numpys_legacy_shuffle(skew: float, data_seed: int, small: Small, root: Path) -> None:
    train = load("cifar10s", "train", root=root, skew=skew, data_seed=data_seed)
    order = numpy_shuffle(5 * ROWS, data_seed)
    assert (train.groups.numpy() == walked_groups(small.labels, order, skew=skew, num_classes=10)).all()
    raw = pictures(small.train)
    is_grey = (train.groups == 0).numpy()[:, None, None, None]
    assert (train.images.numpy() == np.where(is_grey, pillow_grey(raw), raw)).all()


def test_rows_keep_the_order_of_the_files_whatever_the_seed(small: Small, root: Path) -> None:
    first, second = (load("cifar10s", "train", root=root, data_seed=seed) for seed in (0, 1))
    assert first.ids == second.ids
    assert first.source_ids == second.source_ids
    assert len(set(first.ids)) == 5 * ROWS
    assert (first.labels.numpy() == small.labels).all()
    assert (second.labels.numpy() == small.labels).all()
    assert (first.groups != second.groups).any()


def test_train_and_test_share_no_source(root: Path) -> None:
    train, test = (load("cifar10s", split, root=root) for split in ("train", "test"))
    assert not set(train.source_ids) & set(test.source_ids)


def test_global_random_numbers_are_left_alone(root: Path) -> None:
    before = np.random.get_state()[1].tolist(), torch.get_rng_state()  # noqa: NPY002
    load("cifar10s", "train", root=root)
    assert np.random.get_state()[1].tolist() == before[0]  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before[1])


def test_grey_equals_pillow_for_every_colour_there_is() -> None:
    image = np.empty((4096, 256, 3), dtype=np.uint8)
    image[..., 1], image[..., 2] = np.arange(4096)[:, None] % 256, np.arange(256)
    for reds in np.arange(256).reshape(16, 16):
        image[..., 0] = reds.repeat(256)[:, None]
        ours = cifar10s.to_grey(torch.from_numpy(image).permute(2, 0, 1)[None])
        assert ours.dtype == torch.uint8
        assert (ours.numpy() == np.asarray(Image.fromarray(image).convert("L"))).all()


def test_grey_can_be_written_to_without_touching_its_other_channels() -> None:
    grey = cifar10s.to_grey(torch.zeros(1, 3, 2, 2, dtype=torch.uint8))
    grey[0, 0, 0, 0] = 9
    assert int(grey.sum()) == 9


@pytest.mark.parametrize("inside", ["folder", "archive"])
@pytest.mark.parametrize(("name", "split"), [("test_batch", "test"), ("data_batch_4", "train")])
def test_a_changed_file_is_named_and_refused(inside: str, name: str, split: str, small: Small, tmp_path: Path) -> None:
    changed = small.files | {name: small.files[name][:-1] + b" ."}
    if inside == "folder":
        write_folder(tmp_path, changed)
    else:
        (tmp_path / cifar10s.ARCHIVE).write_bytes(archived(changed))
    with pytest.raises(ChecksumError, match=rf"{FOLDER}/{name} has md5 .*not opened.*{re.escape(cifar10s.URL)}"):
        load("cifar10s", split, root=tmp_path)


CALLS = {"os": b"cposix\nsystem\n", "eval": b"cbuiltins\neval\n", "python 2 eval": b"c__builtin__\neval\n"}


@pytest.mark.parametrize("official", [True, False], ids=["right md5", "wrong md5"])
@pytest.mark.parametrize("call", CALLS)
def test_a_malicious_pickle_never_runs(
    call: str, official: bool, small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = tmp_path / "it ran"
    command = f"touch '{marker}'" if call == "os" else f"open({str(marker)!r}, 'w').close()"
    evil = b"\x80\x02" + CALLS[call] + b"(" + cifar_files.string(command.encode()) + b"tR."
    pickle.loads(evil, encoding="ascii")
    assert marker.exists(), "the pickle of this test must be malicious"
    marker.unlink()

    files = small.files | {"test_batch": evil}
    if official:
        publish(monkeypatch, files)
    write_folder(tmp_path, files)
    # A file whose md5 is wrong is not even offered to the unpickler, which would refuse it with a DataError.
    with pytest.raises(DataError, match="refers to" if official else "not opened") as caught:
        load("cifar10s", "test", root=tmp_path)
    assert caught.type is (DataError if official else ChecksumError)
    assert not marker.exists()


def _content(**changes: bytes) -> bytes:
    entries = {
        "data": cifar_files.array(np.zeros((1, 3072), np.uint8)),
        "labels": cifar_files.sequence([b"K\0"]),
    }
    return cifar_files.pickled({key.encode(): value for key, value in (entries | changes).items() if value})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"garbage",
        _content()[:-1],
        b"\x80\x02N.",
        _content(data=b""),
        _content(labels=b""),
        _content(data=b"N"),
        _content(data=cifar_files.array(np.zeros((1, 3071), np.uint8))),
        _content(data=cifar_files.array(np.zeros((1, 3072), np.float32))),
        _content(labels=cifar_files.sequence([b"K\0", b"K\0"])),
        _content(labels=cifar_files.sequence([b"K\x0a"])),
        b"\x80\x02cnumpy\nload\n.",
    ],
    ids=lambda content: repr(content[:24]),
)
def test_official_content_that_is_no_batch_is_a_data_error(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(monkeypatch, {"test_batch": content})
    write_folder(tmp_path, {"test_batch": content})
    with pytest.raises(DataError, match=r"test_batch|cifar10s/test"):
        load("cifar10s", "test", root=tmp_path)


def test_the_malformed_batches_differ_from_a_good_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(monkeypatch, {"test_batch": _content()})
    write_folder(tmp_path, {"test_batch": _content()})
    assert len(load("cifar10s", "test", root=tmp_path)) == 2


@pytest.mark.parametrize("share", [0, 1e-3, 0.01, 0.2, 0.5, 0.8, 0.99])
def test_a_truncated_archive_is_a_data_error_with_a_remedy(share: float, small: Small, tmp_path: Path) -> None:
    whole = archived(small.files)
    (tmp_path / cifar10s.ARCHIVE).write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DataError, match=f"download {re.escape(cifar10s.URL)} again"):
        load("cifar10s", "test", root=tmp_path)


def overwritten(archive: bytes) -> bytes:
    middle = len(archive) // 2
    return archive[:middle] + bytes(64) + archive[middle + 64 :]


def with_a_block_that_cannot_be_inflated(archive: bytes) -> bytes:
    tar = gzip.decompress(archive)
    deflate = zlib.compressobj(wbits=31)
    return deflate.compress(tar[: len(tar) // 2]) + deflate.flush(zlib.Z_FULL_FLUSH) + b"\x07" * 1000


@pytest.mark.parametrize(
    "damage", [overwritten, with_a_block_that_cannot_be_inflated, lambda archive: b"x" + archive[1:]]
)
def test_a_damaged_archive_is_a_data_error_with_a_remedy(
    damage: Callable[[bytes], bytes], small: Small, tmp_path: Path
) -> None:
    (tmp_path / cifar10s.ARCHIVE).write_bytes(damage(archived(small.files)))
    with pytest.raises(DataError, match=f"ownload {re.escape(cifar10s.URL)} again"):
        load("cifar10s", "train", root=tmp_path)


def bomb(kind: str) -> bytes:
    """A small archive with a member of 100 MB: a batch, or a header of metadata that tarfile reads as a whole."""
    file, zeros = io.BytesIO(), io.BytesIO(bytes(100_000_000))
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        member = tarfile.TarInfo(f"{FOLDER}/test_batch" if kind == "batch" else "././@LongLink")
        member.type = {"batch": tarfile.REGTYPE, "pax": tarfile.XHDTYPE, "name": tarfile.GNUTYPE_LONGNAME}[kind]
        member.size = 100_000_000
        tar.addfile(member, zeros)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["batch", "pax", "name"])
def test_a_member_that_is_too_large_is_refused_before_it_is_read(kind: str, tmp_path: Path) -> None:
    (tmp_path / cifar10s.ARCHIVE).write_bytes(bomb(kind))
    tracemalloc.start()
    with pytest.raises(DataError, match=f"download {re.escape(cifar10s.URL)} again"):
        load("cifar10s", "test", root=tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize("kind", ["pipe", "device", "large"])
def test_a_batch_that_is_not_an_ordinary_file_is_refused_at_once(kind: str, tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    path = tmp_path / FOLDER / "test_batch"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        with path.open("wb") as file:
            file.truncate(10**12)
    with pytest.raises(DataError, match="test_batch is not a file of the official size"):
        load("cifar10s", "test", root=tmp_path)


@pytest.mark.parametrize("inside", ["folder", "archive"])
def test_a_missing_batch_is_named(inside: str, small: Small, tmp_path: Path) -> None:
    files = {name: content for name, content in small.files.items() if name != "data_batch_3"}
    if inside == "folder":
        write_folder(tmp_path, files)
    else:
        (tmp_path / cifar10s.ARCHIVE).write_bytes(archived(files))
    with pytest.raises(DataError, match=rf"{FOLDER}/data_batch_3\b.*ownload {re.escape(cifar10s.URL)}"):
        load("cifar10s", "train", root=tmp_path)
    assert len(load("cifar10s", "test", root=tmp_path)) == 20


def test_without_a_folder_the_error_names_the_ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAIRDISTILL_DATA", raising=False)
    with pytest.raises(DataError, match=r"--data-root DIR .*FAIRDISTILL_DATA.*--download") as caught:
        load("cifar10s", "train")
    assert cifar10s.URL in str(caught.value)


def test_an_empty_folder_is_named_with_the_ways_out(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"in {re.escape(str(tmp_path))}\..*--data-root.*--download"):
        load("cifar10s", "train", root=tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def published(small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The archive at an address of its own."""
    server = tmp_path / "server" / cifar10s.ARCHIVE
    server.parent.mkdir()
    server.write_bytes(archived(small.files))
    monkeypatch.setattr(cifar10s, "URL", server.as_uri())
    monkeypatch.setitem(cifar10s.MD5, cifar10s.ARCHIVE, md5(server.read_bytes()))
    return server


def test_download_fetches_the_archive_once(published: Path, tmp_path: Path) -> None:
    root = tmp_path / "new" / "folder"
    assert len(load("cifar10s", "train", root=root, download=True)) == 5 * ROWS
    assert [path.name for path in root.iterdir()] == [cifar10s.ARCHIVE]
    published.unlink()
    assert len(load("cifar10s", "test", root=root, download=True)) == 20


def test_download_with_a_wrong_md5_leaves_nothing_behind(published: Path, tmp_path: Path) -> None:
    published.write_bytes(published.read_bytes() + b"more")
    with pytest.raises(ChecksumError, match="it was deleted"):
        load("cifar10s", "train", root=tmp_path / "root", download=True)
    assert not list((tmp_path / "root").iterdir())


def test_nothing_is_fetched_unasked(published: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="add --download"):
        load("cifar10s", "train", root=tmp_path / "root")
    assert not (tmp_path / "root").exists()


@pytest.mark.parametrize("option", [{"skew": -0.1}, {"skew": 1.1}, {"skew": float("nan")}, {"data_seed": 2**32}])
def test_options_out_of_range_are_named(option: dict[str, float]) -> None:
    ((name, value),) = option.items()
    with pytest.raises(UsageError, match=rf"expected {name} to lie in .* but got {value}"):
        load("cifar10s", "train", **option)


class Real:
    """The official files, read by pickle itself, and what the library makes of them."""

    def __init__(self, root: Path) -> None:
        parts = [self._read(root / FOLDER / name) for name in TRAIN_NAMES]
        self.train = np.concatenate([pictures(part[b"data"]) for part in parts])
        self.labels = np.concatenate([part[b"labels"] for part in parts])
        test = self._read(root / FOLDER / "test_batch")
        self.test, self.test_labels = pictures(test[b"data"]), np.array(test[b"labels"])
        self.root = root

    @staticmethod
    def _read(path: Path) -> dict[bytes, np.ndarray]:
        content = path.read_bytes()
        assert md5(content) == cifar10s.MD5[path.name]
        return pickle.loads(content, encoding="bytes")

    def load(self, split: str, **options: float) -> GroupedDataset:
        return load("cifar10s", split, root=self.root, **options)


@pytest.fixture(scope="module")
def real() -> Real:
    root = Path(os.environ.get("FAIRDISTILL_DATA", "/nonexistent"))
    if not (root / FOLDER).is_dir():
        pytest.skip(f"FAIRDISTILL_DATA names no folder that holds {FOLDER}/, the official CIFAR-10 files")
    return Real(root)


def test_real_training_set_is_coloured_as_the_paper_says(real: Real) -> None:
    train = real.load("train", data_seed=3)
    assert train.cell_counts().tolist() == [[4000, 1000]] * 5 + [[1000, 4000]] * 5
    assert (train.labels.numpy() == real.labels).all()
    assert train.ids == tuple(f"train-{row:05d}" for row in range(50_000))
    order = numpy_shuffle(50_000, 3)
    first = [row for label in range(10) for row in order[real.labels[order] == label][: 4000 if label < 5 else 1000]]
    assert sorted(first) == (train.groups == 0).nonzero().flatten().tolist()
    grey = (train.groups == 0).numpy()
    images = train.images.numpy()
    assert (images[grey] == pillow_grey(real.train[grey])).all()
    assert (images[~grey] == real.train[~grey]).all()


def test_real_test_set_has_every_picture_in_both_groups(real: Real) -> None:
    test = real.load("test")
    assert test.cell_counts().tolist() == [[1000, 1000]] * 10
    assert (test.labels.view(2, -1).numpy() == real.test_labels).all()
    assert (test.images[:10_000].numpy() == pillow_grey(real.test)).all()
    assert (test.images[10_000:].numpy() == real.test).all()
    assert test.source_ids[:10_000] == test.source_ids[10_000:]


def test_the_small_files_have_the_real_format(real: Real) -> None:
    def kinds(content: bytes) -> set[str]:
        numbers = {"BININT", "BININT1", "BININT2"}
        memory = {"BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET"}
        tuples = {"MARK", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"}
        ops = [(op.name, arg if op.name == "GLOBAL" else "") for op, arg, _ in pickletools.genops(content)]
        return {name + arg for name, arg in ops if name not in numbers | memory | tuples}

    assert kinds(Small().files["test_batch"]) == kinds((real.root / FOLDER / "test_batch").read_bytes())
