from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy


@pytest.fixture(scope="package", autouse=True)
def no_database_waits_for_the_disk() -> Iterator[None]:
    def connected(connection: Any, record: object) -> None:
        connection.execute("PRAGMA synchronous = OFF")

    sqlalchemy.event.listen(sqlalchemy.Engine, "connect", connected)
    yield
    sqlalchemy.event.remove(sqlalchemy.Engine, "connect", connected)
