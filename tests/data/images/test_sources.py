"""Files in folders and zip archives: what is missing, damaged or oddly named is a broken file and no crash."""

from __future__ import annotations

import os
import socket
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from fairdistill.data.images.opening import TooLargeError
from fairdistill.data.images.sources import Archive, Folder
from fairdistill.errors import DataError

CONTENT = bytes(range(256)) * 40


def archive(path: Path, members: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", kind) as made:
        made.mkdir("images")
        for name, content in members.items():
            made.writestr(name, content)
    return path


def test_a_folder_gives_contents_and_notices_a_change_of_size_or_time(tmp_path):
    (tmp_path / "sub").mkdir()
    path = tmp_path / "sub/a.png"
    path.write_bytes(b"12345")
    source = Folder(tmp_path)
    assert source.read("sub/a.png") == b"12345"
    first = source.signature("sub/a.png")
    assert first[0] == 5
    os.utime(path, ns=(0, 10**18))
    second = source.signature("sub/a.png")
    path.write_bytes(b"1234")
    os.utime(path, ns=(0, 10**18))
    assert len({first, second, source.signature("sub/a.png")}) == 3


def test_a_folder_is_where_it_was_though_the_process_moves(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.png").write_bytes(b"1")
    monkeypatch.chdir(tmp_path)
    source = Folder(Path("in"))
    monkeypatch.chdir("/")
    assert source.read("a.png") == b"1"
    assert source.where == str(tmp_path / "in")


def test_a_time_before_1970_is_a_signature_that_fits_an_unsigned_number(tmp_path):
    (tmp_path / "old.png").write_bytes(b"1")
    os.utime(tmp_path / "old.png", ns=(-5 * 10**9, -5 * 10**9))
    assert 0 <= Folder(tmp_path).signature("old.png")[1] < 2**64


def test_a_name_that_no_file_can_have_is_an_error_of_the_data(tmp_path):
    with pytest.raises(DataError, match="this is not a valid file name"):
        Folder(tmp_path).signature("a\0b.png")
    with pytest.raises(DataError, match="this is not a valid file name"):
        Folder(tmp_path).read("a\0b.png")
    with pytest.raises(DataError, match="No such file"):
        Folder(tmp_path).signature("a.png")


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=f"there is no folder {tmp_path}/none"):
        Folder(tmp_path / "none")
    with pytest.raises(DataError, match="there is no folder"):
        Folder(archive(tmp_path / "file.zip", {}))


@pytest.mark.parametrize("order", [["a.png", "images/a.png"], ["images/a.png", "a.png"]])
def test_members_are_found_by_path_and_by_last_part_and_the_path_goes_first(tmp_path, order):
    source = Archive(archive(tmp_path / "i.zip", {name: name.encode() for name in [*order, "images/b.png"]}))
    assert source.read("images/a.png") == b"images/a.png"
    assert source.read("a.png") == b"a.png"
    assert source.read("b.png") == source.read("images/b.png") == b"images/b.png"


def test_a_member_notices_a_change_of_its_content(tmp_path):
    first = Archive(archive(tmp_path / "1.zip", {"a.png": b"123"})).signature("a.png")
    assert Archive(archive(tmp_path / "2.zip", {"a.png": b"123"})).signature("a.png") == first
    assert Archive(archive(tmp_path / "3.zip", {"a.png": b"124"})).signature("a.png") != first


@pytest.mark.parametrize("name", ["c.png", "images", "images/"])
def test_what_is_no_member_is_an_error(tmp_path, name):
    source = Archive(archive(tmp_path / "i.zip", {"images/a.png": b"1"}))
    with pytest.raises(DataError, match="not in the archive"):
        source.signature(name)
    with pytest.raises(DataError, match="not in the archive"):
        source.read(name)


@pytest.mark.parametrize("kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("damage", [bytes(40), b"\xff" * 40])
def test_a_damaged_member_is_an_error_of_the_data_and_the_others_are_read(tmp_path, kind, damage):
    path = archive(tmp_path / "i.zip", {"a.png": CONTENT, "b.png": CONTENT[::-1]}, kind)
    content = path.read_bytes()
    start = content.index(b"a.png") + len("a.png")  # where the member's data begin
    path.write_bytes(content[:start] + damage + content[start + len(damage) :])
    source = Archive(path)
    with pytest.raises(DataError, match="archive member is damaged or unreadable"):
        source.read("a.png")
    assert source.read("b.png") == CONTENT[::-1]


def test_what_is_no_archive_is_named(tmp_path):
    (tmp_path / "i.zip").write_bytes(b"no archive")
    with pytest.raises(DataError, match=r"i\.zip is not a readable zip archive"):
        Archive(tmp_path / "i.zip")
    with pytest.raises(DataError, match=r"none\.zip is not a readable zip archive"):
        Archive(tmp_path / "none.zip")


@pytest.mark.parametrize("make", ["fifo", "socket", "device", "folder"])
def test_what_is_not_a_regular_file_is_refused_at_once(tmp_path, make):
    path = tmp_path / "a.png"
    if make == "fifo":
        os.mkfifo(path)
    elif make == "socket":
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(path))
        server.close()
    elif make == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    source = Folder(tmp_path)
    for look in (source.signature, source.size, source.read):
        with pytest.raises((DataError, OSError), match=r"not a regular file|No such device|Is a directory"):
            look("a.png")


def test_a_file_that_no_image_needs_is_refused_before_it_is_read(tmp_path):
    with open(tmp_path / "a.png", "wb") as file:
        file.truncate(10**12)  # takes no space
    with pytest.raises(TooLargeError, match=r"it has 1,000,000 MB, .* FAIRDISTILL_MAX_MEGAPIXELS=125000 "):
        Folder(tmp_path).read("a.png")


def test_the_size_of_a_member_is_checked_before_it_is_read(tmp_path, monkeypatch):
    path = archive(tmp_path / "i.zip", {"a.png": bytes(9_000_000), "b.png": CONTENT})
    monkeypatch.setenv("FAIRDISTILL_MAX_MEGAPIXELS", "1")
    with pytest.raises(TooLargeError, match="it has 9 MB, and image files of up to 8 MB are read"):
        Archive(path).read("a.png")
    assert Archive(path).read("b.png") == CONTENT


def test_a_member_that_says_it_is_small_takes_no_more_than_that(tmp_path):
    size = 50_000_000
    path = archive(tmp_path / "i.zip", {"a.png": bytes(size)})
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", size), struct.pack("<I", 1000)))
    tracemalloc.start()
    with pytest.raises(DataError, match="archive member"):
        Archive(path).read("a.png")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < size / 10


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressions_that_unpack_a_byte_to_a_million_are_not_read(tmp_path, kind):
    with pytest.raises(DataError, match="unusual compression; only stored and deflated ones are read"):
        Archive(archive(tmp_path / "i.zip", {"a.png": CONTENT}, kind)).read("a.png")
