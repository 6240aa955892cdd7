from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fairdistill.runs.files import write_text


def test_two_writers_of_one_file_leave_it_whole_and_neither_fails(tmp_path: Path):
    """Each writes texts of its own length, so that a mixture of two would be seen."""
    texts = {str(writer) * 1000 * (writer + 1) for writer in range(4)}
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda text: write_text(tmp_path / "audit.json", text), [*texts] * 25))
    assert (tmp_path / "audit.json").read_text() in texts
    assert [path.name for path in tmp_path.iterdir()] == ["audit.json"]
