from __future__ import annotations

from fairdistill.system.folders import data_folder, image_cache_folder


def test_caches_are_in_the_users_cache_folder_by_default(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert image_cache_folder() == tmp_path / "fairdistill/images"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert image_cache_folder() == tmp_path / ".cache/fairdistill/images"


def test_an_empty_data_folder_is_none(tmp_path, monkeypatch):
    monkeypatch.setenv("FAIRDISTILL_DATA", str(tmp_path))
    assert data_folder() == tmp_path
    monkeypatch.setenv("FAIRDISTILL_DATA", "")
    assert data_folder() is None
