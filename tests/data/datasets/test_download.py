from __future__ import annotations

import http.client
import io
import urllib.error
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fairdistill.data.datasets.download import fetch
from fairdistill.errors import ChecksumError, DataError
from tests.data.cifar_files import md5

CONTENT = bytes(range(256)) * 10_000  # more than two chunks
URL = "https://example.org/archive.tar.gz"


class Response(io.BytesIO):
    """Gives ``CONTENT``; with an ``error``, the first chunk of it and then that."""

    def __init__(self, error: BaseException | None = None) -> None:
        super().__init__(CONTENT)
        self._error = error

    def read(self, size: int | None = -1, /) -> bytes:
        if self._error is not None and self.tell():
            raise self._error
        return super().read(size)


def serve(monkeypatch: pytest.MonkeyPatch, *, error: BaseException | None = None, at_once: bool = False) -> None:
    def urlopen(url: str, timeout: float) -> Response:
        assert url == URL
        assert timeout > 0
        if at_once and error is not None:
            raise error
        return Response(error)

    monkeypatch.setattr("urllib.request.urlopen", urlopen)


def test_the_file_is_whole_and_announced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    serve(monkeypatch)
    target = tmp_path / "a" / "b" / "archive"
    fetch(URL, target, md5=md5(CONTENT))
    assert target.read_bytes() == CONTENT
    assert [path.name for path in target.parent.iterdir()] == ["archive"]
    captured = capsys.readouterr()
    assert captured.out == ""
    assert URL in captured.err
    assert str(target) in captured.err


def test_an_address_of_a_file_works(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"content")
    fetch(source.as_uri(), tmp_path / "target", md5=md5(b"content"))
    assert (tmp_path / "target").read_bytes() == b"content"


def test_a_file_with_another_md5_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch)
    with pytest.raises(ChecksumError, match=f"{URL} .*{md5(CONTENT)}.*{md5(b'other')}.*it was deleted"):
        fetch(URL, tmp_path / "archive", md5=md5(b"other"))
    assert not list(tmp_path.iterdir())


ERRORS = {
    "unknown host": (urllib.error.URLError("unknown host"), True),
    "refused": (ConnectionRefusedError("refused"), True),
    "cut off": (ConnectionResetError("reset by peer"), False),
    "timed out": (TimeoutError("timed out"), False),
    "bad status line": (http.client.BadStatusLine("?"), True),
    "incomplete chunk": (http.client.IncompleteRead(b"", 7), False),
}


@pytest.mark.parametrize("case", ERRORS)
def test_a_failing_server_is_a_data_error_and_leaves_nothing_behind(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error, at_once = ERRORS[case]
    serve(monkeypatch, error=error, at_once=at_once)
    with pytest.raises(DataError, match=f"cannot download {URL} to .*archive") as caught:
        fetch(URL, tmp_path / "archive", md5=md5(CONTENT))
    assert caught.value.__cause__ is error
    assert not list(tmp_path.iterdir())


def test_an_interrupted_download_is_never_in_place_and_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "archive"
    serve(monkeypatch, error=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        fetch(URL, target, md5=md5(CONTENT))
    assert not target.exists()
    serve(monkeypatch)
    fetch(URL, target, md5=md5(CONTENT))
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]
    assert target.read_bytes() == CONTENT


def test_two_that_download_at_a_time_both_get_the_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Meanwhile(Response):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() and not target.exists():
                serve(monkeypatch)
                with ThreadPoolExecutor(1) as other:
                    other.submit(fetch, URL, target, md5=md5(CONTENT)).result()
                assert target.read_bytes() == CONTENT
            return super().read(size)

    target = tmp_path / "archive"
    monkeypatch.setattr("urllib.request.urlopen", lambda *_args, **_options: Meanwhile())
    fetch(URL, target, md5=md5(CONTENT))
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]
    assert target.read_bytes() == CONTENT


def test_a_folder_that_cannot_be_made_is_a_data_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match=f"cannot download {URL} to "):
        fetch(URL, tmp_path / "file" / "archive", md5=md5(CONTENT))
