from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fairdistill.auditing import audit
from fairdistill.auditing.attributes import audit_attributes
from fairdistill.errors import DataError, UsageError


def table(seed: int = 0, rows: int = 600) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    labels = draw.choice(["cat", "dog"], rows)
    cat = np.clip(np.where(labels == "cat", 0.7, 0.3) + draw.normal(0, 0.2, rows), 0, 1)
    groups = pd.Categorical.from_codes(np.arange(rows) % 3 % 2, ["x", "y"])
    return pd.DataFrame({"id": np.arange(rows), "animal": labels, "race": groups, "p_cat": cat, "p_dog": 1 - cat})


def test_a_table_in_memory_is_audited_like_one_in_a_file(tmp_path):
    frame, other = table(), table(seed=1).assign(animal=table().animal)
    frame["race"] = frame.race.astype(object).where(frame.index % 7 > 0)  # some are unknown
    other["race"] = frame.race
    frame.to_csv(tmp_path / "t.csv", index=False)
    other.to_csv(tmp_path / "o.csv", index=False)
    columns = {"label": "animal", "group": "race", "draws": 200}
    in_memory = audit(frame, against=other, validation=other, **columns).to_dict()
    in_files = audit(tmp_path / "t.csv", against=tmp_path / "o.csv", validation=tmp_path / "o.csv", **columns).to_dict()
    assert (in_memory.pop("where"), in_memory["against"].pop("where")) == ("DataFrame", "DataFrame (against)")
    del in_files["where"], in_files["against"]["where"]
    names = {"DataFrame (against)": "o.csv", "DataFrame (validation)": "o.csv", "DataFrame": "t.csv"}
    notes = "\n".join(in_memory.pop("notes"))
    for name, file in names.items():
        notes = notes.replace(name, file)
    assert "\n".join(in_files.pop("notes")).replace(f"{tmp_path}/", "") == notes
    assert in_memory == in_files
    assert in_memory["unknown_groups"] == 86


def test_ids_in_an_index_with_a_name_match_two_tables():
    frame = table().set_index("id")
    turned = frame.sample(frac=1, random_state=0)
    columns = {"label": "animal", "group": "race", "draws": 200}
    assert audit(frame, against=turned, **columns).against.accuracy.value == 0


def test_errors_and_notes_speak_of_the_table(tmp_path):
    with pytest.raises(DataError, match="DataFrame has no column 'race2'"):
        audit(table(), label="animal", group="race2")
    with pytest.raises(UsageError, match="a table of predictions; leave data out"):
        audit(table(), data="digits-s")
    with pytest.raises(UsageError, match="other predictions, not a DataFrame"):
        audit_attributes(write(tmp_path), label="smiling,glasses", against=table())


def test_two_tables_in_memory_are_told_apart():
    with pytest.raises(DataError, match=r"in DataFrame \(against\) and dog in DataFrame "):
        audit(table().drop(columns="id"), against=table().drop(columns="id")[::-1], label="animal", group="race")
    with pytest.raises(DataError, match=r"the DataFrame \(validation\) has 0 rows"):
        audit(table(), validation=table()[:0], label="animal", group="race")


def test_several_attributes_need_a_file():
    with pytest.raises(UsageError, match=r"DataFrame: several attributes are read from a file: write it with \.to_csv"):
        audit(table().assign(smile=1), label="animal,smile", group="race")
    assert audit(table().rename(columns={"animal": "a,b"}), label="a,b", group="race", draws=200).rows == 600


def write(folder):
    turn = np.arange(40)
    frame = pd.DataFrame({"smiling": turn % 2, "glasses": turn // 2 % 2, "group": turn // 4 % 2})
    path = folder / "t.csv"
    frame.assign(pred_smiling=frame.smiling, pred_glasses=frame.glasses).to_csv(path, index=False)
    return path
