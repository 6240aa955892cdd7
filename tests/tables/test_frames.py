from __future__ import annotations

import pandas as pd
import pytest

from fairdistill.errors import DataError
from fairdistill.tables.frames import FRAME, written


def test_a_table_is_written_whole_and_removed_again():
    frame = pd.DataFrame({"label": ["ä", "b"], "score": [0.1 + 0.2, None]})
    with written(frame) as path:
        assert path.read_text("utf-8") == "label,score\nä,0.30000000000000004\nb,\n"
    assert not path.exists()


@pytest.mark.parametrize(("index", "first"), [
    (pd.Index([7, 8]), "label"), (pd.Index([7, 8], name="id"), "id,label"),
    (pd.MultiIndex.from_tuples([(1, 2), (3, 4)], names=["person", None]), "person,,label"),
    (pd.Index([7, 8], name="label"), "label"),
])  # fmt: skip
def test_an_index_is_a_column_if_it_has_a_name(index, first):
    with written(pd.DataFrame({"label": ["a", "b"]}, index=index)) as path:
        assert path.read_text().splitlines()[0] == first


def test_errors_name_the_table_and_not_the_file():
    def fail() -> None:
        with written(pd.DataFrame({"label": ["a"]})) as path:
            raise DataError(f"{path}: row 2 is wrong")

    with pytest.raises(DataError, match=f"^{FRAME}: row 2 is wrong$"):
        fail()


@pytest.mark.parametrize("frame", [pd.DataFrame(), pd.DataFrame({"label": []})])
def test_an_empty_table_is_refused(frame):
    with pytest.raises(DataError, match="has 0 rows"), written(frame):
        pass


def test_several_levels_of_columns_are_refused():
    frame = pd.DataFrame([[0, 1]], columns=pd.MultiIndex.from_tuples([("x", "label"), ("x", "group")]))
    with pytest.raises(DataError, match="the DataFrame has 2 levels of columns; keep one"), written(frame):
        pass
