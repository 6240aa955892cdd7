from __future__ import annotations

import bz2
import gzip
import lzma

import pytest

from fairdistill.cli.main import main
from fairdistill.system.stand_ins import stand_in

POINTER = """version https://git-lfs.github.com/spec/v1
oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
size 12345
"""


def test_a_pointer_is_told_from_what_is_none(tmp_path):
    pointer, other = tmp_path / "pointer", tmp_path / "other"
    pointer.write_text(POINTER)
    other.write_text("version,https://git-lfs\n1,2\n")
    assert "git lfs pull" in str(stand_in(pointer))
    assert stand_in(other) is None
    assert stand_in(tmp_path / "missing") is None


@pytest.mark.parametrize(
    ("name", "options"),
    [
        *((f"predictions.{suffix}", []) for suffix in ("csv", "tsv", "parquet", "jsonl")),
        *((f"model.{suffix}", ["--data", "digits-s"]) for suffix in ("pt", "bin", "safetensors", "onnx", "pt2")),
        ("model.pt", []),
    ],
)
def test_a_pointer_in_place_of_a_table_or_model_is_named(tmp_path, capsys, name, options):
    path = tmp_path / name
    path.write_text(POINTER)
    assert main(["audit", str(path), *options]) == 2
    assert capsys.readouterr().err == (
        f"fairdistill: error: {path} is only a pointer to the file, which Git LFS has not fetched; run git lfs pull in "
        "its repository\n"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress(b"anything"), "is compressed with gzip; unpack it first"),
        (bz2.compress(b"anything"), "is compressed with bzip2; unpack it first"),
        (lzma.compress(b"anything"), "is compressed with xz; unpack it first"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><html>", "is a web page, not the file itself; download it again"),
        (b"<HTML><body>", "is a web page, not the file itself; download it again"),
    ],
)
@pytest.mark.parametrize("name", ["model.pt", "model.safetensors", "model.onnx", "model.pt2", "predictions.parquet"])
def test_copies_that_are_compressed_and_web_pages_are_named(tmp_path, capsys, name, content, said):
    path = tmp_path / name
    path.write_bytes(content)
    assert main(["audit", str(path), *([] if "predictions" in name else ["--data", "digits-s"])]) == 2
    assert capsys.readouterr().err == f"fairdistill: error: {path} {said}\n"


def test_a_pointer_in_a_folder_from_hugging_face_is_named(tmp_path, capsys):
    (tmp_path / "config.json").write_text('{"model_type": "vit", "architectures": ["ViTForImageClassification"]}')
    (tmp_path / "model.safetensors").write_text(POINTER)
    assert main(["audit", str(tmp_path), "--data", "digits-s"]) == 2
    assert f"{tmp_path / 'model.safetensors'} is only a pointer" in capsys.readouterr().err
