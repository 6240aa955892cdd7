from __future__ import annotations

import pytest

from fairdistill.auditing import audit
from fairdistill.errors import FairdistillError
from fairdistill.tables.parts import tables_in_folder

TABLE = "id,label,group,pred\n0,a,x,a\n1,b,x,b\n2,a,y,b\n3,b,y,b\n"


def test_a_folder_of_parts_is_named_as_source_and_as_other_model(tmp_path):
    (tmp_path / "t.csv").write_text(TABLE)
    parts = tmp_path / "parts"
    parts.mkdir()
    for name in ("part-00000.csv", "part-00001.csv", "_SUCCESS", ".part-00000.csv.crc", "_common.csv"):
        (parts / name).write_text(TABLE)
    said = r"parts is not a run folder, but holds 2 tables, for example part-00000\.csv; name a single table of"
    with pytest.raises(FairdistillError, match=said):
        audit(parts, draws=200)
    with pytest.raises(FairdistillError, match=said):
        audit(tmp_path / "t.csv", against=parts, draws=200)
    (parts / "part-00001.csv").unlink()
    with pytest.raises(
        FairdistillError, match=r"holds one table; name this table of predictions, .*part-00000\.csv, or a model"
    ):
        audit(parts, draws=200)


def test_other_folders_are_none_of_tables(tmp_path):
    assert tables_in_folder(tmp_path / "none") is None
    assert tables_in_folder(tmp_path) is None
    (tmp_path / "predictions.csv").write_text(TABLE)  # of a run that lacks its config.yaml
    assert tables_in_folder(tmp_path) is None
