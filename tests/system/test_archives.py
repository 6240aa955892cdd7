from __future__ import annotations

import zipfile

from fairdistill.system.archives import names_in_archive


def test_the_names_of_an_archive_and_none_of_anything_else(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "w")
        archive.writestr("b", "")
    assert names_in_archive(path) == ["xl/workbook.xml", "b"]
    path.write_bytes(path.read_bytes()[:40])
    assert names_in_archive(path) == names_in_archive(tmp_path) == names_in_archive(tmp_path / "none") == []
