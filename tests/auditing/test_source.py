from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from fairdistill.auditing import AuditOptions
from fairdistill.auditing.source import read_inputs
from fairdistill.errors import FairdistillError, UsageError
from fairdistill.runs import RunFolder


@pytest.mark.parametrize(
    "options", [{"group": "race"}, {"classes": "a,b"}, {"label": "male"}, {"bin": {"age": "20"}}, {"unknown": "NA"}]
)
def test_options_on_the_columns_of_a_table_are_not_ignored_for_a_run(tmp_path: Path, options: dict[str, Any]):
    run = RunFolder.create(tmp_path / "run", config={}, environment={})
    (option,) = options
    with pytest.raises(
        UsageError, match=rf"--{option} says what a table holds, but .*run is a run folder.* --{option}"
    ):
        read_inputs(run.path, AuditOptions(**options))
    (tmp_path / "t.csv").write_text("label,group,pred\na,x,a\nb,y,b\n")
    with pytest.raises(FairdistillError) as raised:  # the run is not finished
        read_inputs(run.path, AuditOptions(against=str(tmp_path / "t.csv"), encoding="latin-1"))
    assert "says what a table holds" not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"label,group,pred\n",
            r"t\.txt is not a table \(.*\); give a text table the extension .csv.*; to audit a model",
        ),
        (b"\x80\x02\0\0", r"t\.txt is not a table \(.csv[^;]*\); to audit a model, name its data with --data$"),
    ],
)
def test_a_file_without_the_extension_of_a_table_is_told_what_to_do(tmp_path: Path, content: bytes, message: str):
    (tmp_path / "t.txt").write_bytes(content)
    with pytest.raises(UsageError, match=message):
        read_inputs(tmp_path / "t.txt", AuditOptions())


def test_a_pipe_in_place_of_a_file_is_told_what_it_is(tmp_path: Path):
    os.mkfifo(tmp_path / "63")  # as of <(command) in a shell
    with pytest.raises(UsageError, match=r"63 cannot be read: it is a named pipe .* pipe a table to standard"):
        read_inputs(tmp_path / "63", AuditOptions())
