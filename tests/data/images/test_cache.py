"""The image cache: decoded once, resumed after a kill, shared by processes, mended where it is damaged."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import filelock
import numpy as np
import pytest
import torch
from PIL import Image

from fairdistill.data.images import cache as image_cache
from fairdistill.data.images.cache import ImageCache
from fairdistill.data.images.decoding import Decoding
from fairdistill.data.images.facts import FACTS
from fairdistill.data.images.reading import ImageFiles, Storage, scan
from fairdistill.data.images.sources import Folder
from fairdistill.data.images.view import View
from fairdistill.errors import DataError

NAMES = [f"{number:02d}.png" for number in range(12)]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0)
    folder = tmp_path / "images"
    folder.mkdir()
    for name in NAMES:
        Image.fromarray(draw.integers(0, 256, (9, 7, 3), dtype=np.uint8)).save(folder / name)
    return folder


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts decodings."""
    calls: list[int] = []
    real = image_cache.decode

    def counting(content: bytes, view: View, how: Decoding):
        calls.append(len(content))
        return real(content, view, how)

    monkeypatch.setattr(image_cache, "decode", counting)
    return calls


def cache_of(images: Path, *, height: int = 9, width: int = 7) -> ImageCache:
    return ImageCache(images.parent / "cache", Folder(images), view=View(height, width), workers=2)


def filled(images: Path, names: list[str] = NAMES, **size: int) -> ImageCache:
    cache = cache_of(images, **size)
    cache.fill(names, lambda _: None)
    return cache


def pixels(cache: ImageCache, names: list[str] = NAMES) -> np.ndarray:
    return cache.take(torch.from_numpy(cache.slots(names))).permute(0, 2, 3, 1).numpy()


def truth(images: Path, names: list[str] = NAMES) -> np.ndarray:
    return np.stack([np.asarray(Image.open(images / name).convert("RGB")) for name in names])


def repaint(path: Path) -> None:
    Image.fromarray(np.full((9, 7, 3), 77, np.uint8)).save(path)
    os.utime(path, ns=(1, time.time_ns()))


def test_images_are_decoded_once_and_read_as_they_are(images, decoded):
    assert (pixels(filled(images)) == truth(images)).all()
    assert len(decoded) == len(NAMES)
    again = filled(images)
    assert (pixels(again, NAMES[::-1]) == truth(images, NAMES[::-1])).all()
    assert again.missing_bytes(NAMES) == 0
    assert len(decoded) == len(NAMES)


def test_names_are_added_and_another_size_is_another_cache(images, decoded):
    filled(images, NAMES[:5])
    assert cache_of(images).missing_bytes(NAMES) == 7 * 9 * 7 * 3
    assert (pixels(filled(images)) == truth(images)).all()
    assert len(decoded) == len(NAMES)
    assert pixels(filled(images, NAMES[:2], height=4, width=4), NAMES[:2]).shape == (2, 4, 4, 3)
    assert len(decoded) == len(NAMES) + 2


def test_a_file_that_changed_is_decoded_again_alone(images, decoded):
    filled(images)
    repaint(images / NAMES[3])
    assert (pixels(filled(images)) == truth(images)).all()
    assert len(decoded) == len(NAMES) + 1


def test_a_fill_that_was_stopped_goes_on_where_it_was(images, monkeypatch):
    real, done = image_cache.decode, []

    def dies(content: bytes, view: View, how: Decoding):
        if len(done) == 5:
            raise KeyboardInterrupt
        done.append(1)
        return real(content, view, how)

    monkeypatch.setattr(image_cache, "decode", dies)
    with pytest.raises(KeyboardInterrupt):
        filled(images)
    monkeypatch.setattr(image_cache, "decode", real)
    assert 0 < cache_of(images).missing_bytes(NAMES) < len(NAMES) * 9 * 7 * 3
    assert (pixels(filled(images)) == truth(images)).all()


SLOW = """
import sys, time
from pathlib import Path
from fairdistill.data.images import cache as image_cache
from fairdistill.data.images.sources import Folder
from fairdistill.data.images.view import View
real = image_cache.decode
def slow(content, view, how):
    time.sleep(float(sys.argv[2]))
    return real(content, view, how)
image_cache.decode = slow
image_cache._BLOCK = int(sys.argv[3])
images = Path(sys.argv[1])
cache = image_cache.ImageCache(images.parent / "cache", Folder(images), view=View(9, 7), workers=1)
cache.fill([f"{n:02d}.png" for n in range(12)], lambda _: print("one", flush=True))
"""


def start(images: Path, seconds: float, *, block: int = 12) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SLOW, str(images), str(seconds), str(block)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_killed_process_leaves_what_it_did_and_a_free_lock(images, decoded):
    with start(images, 0.2) as process:
        assert process.stdout is not None
        for _ in range(3):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    assert (pixels(filled(images)) == truth(images)).all()
    assert len(decoded) <= len(NAMES) - 3


def test_two_processes_at_once_decode_each_image_once(images, decoded):
    with start(images, 0.05) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it holds the lock now
        assert (pixels(filled(images)) == truth(images)).all()
        assert process.wait() == 0
    assert decoded == []


def test_two_processes_at_once_share_the_work(images, decoded, monkeypatch):
    """The first holds one block of three images; this one does the other three, then waits for it."""
    monkeypatch.setattr(image_cache, "_BLOCK", 3)
    done = []
    with start(images, 1.0, block=3) as process:
        assert process.stdout is not None
        process.stdout.readline()
        cache = cache_of(images)
        cache.fill(NAMES, done.append)
        assert (pixels(cache) == truth(images)).all()
        assert len(process.stdout.read().splitlines()) == 2 + 3  # the rest of its block, and the blocks done here
    assert len(decoded) == 9
    assert 9 <= sum(done) < len(NAMES)  # those, and what the other one did while this one waited


def test_a_cache_larger_than_all_memory_is_read(images):
    path = filled(images).folder / "pixels.bin"
    os.truncate(path, 3 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))  # a hole, which takes no room
    assert (pixels(filled(images)) == truth(images)).all()


def test_no_names_need_no_cache(images):
    cache = filled(images, [])
    assert not cache.folder.exists()
    assert cache.take(torch.from_numpy(cache.slots([]))).shape == (0, 3, 9, 7)


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes on Linux alone")
def test_a_name_that_is_no_text_is_a_name(tmp_path):
    folder, name = tmp_path / os.fsdecode(b"f\xff") / "images", os.fsdecode(b"\xe9.png")
    folder.mkdir(parents=True)
    repaint(folder / name)
    for _ in range(2):
        assert (pixels(filled(folder, [name]), [name]) == 77).all()


def test_a_file_from_before_1970_is_decoded_once(images, decoded):
    os.utime(images / NAMES[0], ns=(-1, -1))
    filled(images)
    filled(images)
    assert len(decoded) == len(NAMES)


def damage_names(folder: Path) -> None:
    path = folder / "names.jsonl"
    path.write_bytes(path.read_bytes()[:-4])


def damage_index(folder: Path) -> None:
    (folder / "index.bin").unlink()


def damage_pixels(folder: Path) -> None:
    (folder / "pixels.bin").unlink()


def cut_pixels(folder: Path) -> None:
    os.truncate(folder / "pixels.bin", 300)


@pytest.mark.parametrize("damage", [damage_names, damage_index, damage_pixels, cut_pixels])
def test_what_is_lost_is_decoded_again(images, damage: Callable[[Path], None]):
    damage(filled(images).folder)
    assert (pixels(filled(images)) == truth(images)).all()
    assert (pixels(filled(images)) == truth(images)).all()


def test_a_flipped_byte_is_noticed_and_mended(images, decoded):
    path = filled(images).folder / "pixels.bin"
    content = bytearray(path.read_bytes())
    content[9 * 7 * 3 * 4 + 11] ^= 0xFF
    path.write_bytes(content)
    assert (pixels(filled(images)) == truth(images)).all()
    assert len(decoded) == len(NAMES) + 1
    assert (pixels(filled(images)) == truth(images)).all()
    assert len(decoded) == len(NAMES) + 1


def test_a_damaged_image_in_a_cache_that_cannot_be_written_is_an_error_with_the_way_out(images, monkeypatch):
    path = filled(images).folder / "pixels.bin"
    path.write_bytes(bytes(path.stat().st_size))

    def refused(cache: ImageCache) -> None:
        raise PermissionError(13, "Permission denied")

    cache = filled(images)
    monkeypatch.setattr(ImageCache, "_open", refused)
    with pytest.raises(DataError, match=r"cannot mend the image cache .*: Permission denied; .*--no-cache"):
        pixels(cache)


def test_records_of_lost_names_are_not_those_of_the_next(images, monkeypatch):
    for name in NAMES:
        os.utime(images / name, ns=(1, 1))
    folder = filled(images, NAMES[:1]).folder
    sizes = {(images / name).stat().st_size for name in NAMES}
    assert len(sizes) == 1  # so that a record could be taken for another file's
    (folder / "names.jsonl").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(image_cache, "decode", interrupt)
        with pytest.raises(KeyboardInterrupt):
            filled(images, NAMES[1:2])
    assert (pixels(filled(images, NAMES[1:2]), NAMES[1:2]) == truth(images, NAMES[1:2])).all()


def interrupt(content: bytes, view: View, how: Decoding) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("garbage", [b"\xff\xfe{\n", b"\n", b"[1]\n", b'"00.png"\n"00.png"\n'])
def test_garbage_names_are_an_error_that_names_the_folder(images, garbage):
    folder = filled(images).folder
    (folder / "names.jsonl").write_bytes(garbage)
    with pytest.raises(DataError, match=rf"image cache {folder} is damaged .*delete that folder"):
        filled(images)


def test_too_little_room_is_an_error_before_anything_is_decoded(images, decoded, monkeypatch):
    monkeypatch.setattr("fairdistill.data.images.compressing.free_bytes", lambda _: 10)
    with pytest.raises(DataError, match=r"would take .* MiB, but .* has 0 MiB free.*--image-cache.*--no-cache"):
        filled(images)
    assert decoded == []


def test_a_folder_that_cannot_be_written_is_an_error_with_the_way_out(images):
    (images.parent / "cache").write_text("a file where the folder should be")
    with pytest.raises(DataError, match=r"cannot write the image cache .*--image-cache.*--no-cache"):
        filled(images)


def test_so_is_one_in_which_one_may_not_write(images, monkeypatch):
    def refuse(_lock):
        raise OSError(errno.EACCES, "Permission denied", "x")

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    with pytest.raises(DataError, match=r"cannot write the image cache .*: Permission denied; choose .*--image-cache"):
        filled(images)


def test_a_broken_file_is_known_and_looked_at_again_when_it_changes(images, decoded):
    (images / NAMES[2]).write_bytes(b"")
    assert filled(images).broken(NAMES).tolist() == [name == NAMES[2] for name in NAMES]
    repaint(images / NAMES[2])
    cache = filled(images)
    assert not cache.broken(NAMES).any()
    assert (pixels(cache) == truth(images)).all()


def test_a_file_that_could_not_be_read_is_tried_again_though_it_did_not_change(images, decoded, monkeypatch):
    real = Folder.read

    def refused(source: Folder, name: str) -> bytes:
        if name == NAMES[2]:
            raise PermissionError(13, "Permission denied")
        return real(source, name)

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "read", refused)
        assert filled(images).broken(NAMES).tolist() == [name == NAMES[2] for name in NAMES]
    assert (pixels(filled(images)) == truth(images)).all()
    assert len(decoded) == len(NAMES)


def test_a_broken_file_is_not_looked_at_twice(images, decoded):
    (images / NAMES[2]).write_text("no image")
    for _ in range(2):
        assert filled(images).broken(NAMES).sum() == 1
    assert len(decoded) == len(NAMES)


@pytest.mark.parametrize("cached", [True, False])
def test_files_read_the_same_with_and_without_a_cache(images, cached):
    storage = Storage(images.parent / "cache" if cached else None, 2)
    names = np.array(NAMES, object)
    (images / NAMES[7]).write_bytes((images / NAMES[1]).read_bytes())
    (images / NAMES[8]).write_text("no image")
    found = scan(Folder(images), NAMES, storage, View(9, 7))
    assert found.broken.tolist() == [name == NAMES[8] for name in NAMES]
    assert found.digests[7] == found.digests[1] != found.digests[0]
    files = ImageFiles(Folder(images), names, storage, found.digests, found.facts)[torch.tensor([4, 1, 7])]
    assert len(files) == 3
    taken = files.reader(View(9, 7)).take(torch.tensor([2, 0]))
    assert (taken.permute(0, 2, 3, 1).numpy() == truth(images, [NAMES[7], NAMES[4]])).all()
    assert torch.equal(files.one(2, View(9, 7)), taken[0])


def test_a_file_that_breaks_while_it_is_read_on_the_fly_is_named(images):
    storage = Storage(None, 1)
    count = len(NAMES)
    unknown = (np.zeros(count, "V16"), np.zeros(count, FACTS))
    files = ImageFiles(Folder(images), np.array(NAMES, object), storage, *unknown)
    (images / NAMES[5]).unlink()
    with pytest.raises(DataError, match=rf"{NAMES[5]}: .*it was readable when the run started"):
        files.reader(View(9, 7)).take(torch.arange(len(NAMES)))
