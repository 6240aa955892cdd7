from __future__ import annotations

import sqlite3

import pytest

from fairdistill.errors import ResourceError, UsageError

pytest.importorskip("optuna")

from fairdistill.tuning import storage


@pytest.mark.parametrize(
    ("why", "error", "remedy"),
    [
        ("database or disk is full", ResourceError, "cannot write s.db: .*Free some space and run the same command"),
        ("attempt to write a readonly database", UsageError, "Choose another with --storage"),
    ],
)
def test_a_full_disk_is_told_from_other_faults_of_the_database(monkeypatch, why, error, remedy):
    def fails(*_given, **_options):
        raise sqlite3.OperationalError(why)

    monkeypatch.setattr(storage, "RDBStorage", fails)
    with (
        pytest.raises(error, match=f"{why}.*{remedy}" if error is UsageError else remedy),
        storage._connected("sqlite:///s.db"),
    ):
        pass
