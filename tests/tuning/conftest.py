from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import alembic.script.base
import pytest
import sqlalchemy


@pytest.fixture(scope="package", autouse=True)
def no_database_waits_for_the_disk() -> Iterator[None]:
    def connected(connection: Any, record: object) -> None:
        connection.execute("PRAGMA synchronous = OFF")

    sqlalchemy.event.listen(sqlalchemy.Engine, "connect", connected)
    yield
    sqlalchemy.event.remove(sqlalchemy.Engine, "connect", connected)


@pytest.fixture(scope="package", autouse=True)
def versions_of_the_database_are_read_once() -> Iterator[None]:
    """Optuna has Alembic read its history of versions, a file for each, whenever a study is opened."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alembic.script.base.util, "load_python_file", cache(alembic.script.base.util.load_python_file))
        yield
