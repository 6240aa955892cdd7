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


def test_errors_and_notes_speak_of_the_table():
    with pytest.raises(DataError, match="DataFrame has no column 'race2'"):
        audit(table(), label="animal", group="race2")
    with pytest.raises(UsageError, match="a table of predictions; leave data out"):
        audit(table(), data="digits-s")
    with pytest.raises(UsageError, match="a table of predictions; leave data out"):
        audit_attributes(attributes(), data="digits-s", label="smiling,glasses")
    with pytest.raises(DataError, match=r"DataFrame \(against\) has neither a column 'pred_smiling'"):
        audit_attributes(attributes(), label="smiling,glasses", against=table())


def test_two_tables_in_memory_are_told_apart():
    with pytest.raises(DataError, match=r"in DataFrame \(against\) and dog in DataFrame "):
        audit(table().drop(columns="id"), against=table().drop(columns="id")[::-1], label="animal", group="race")
    with pytest.raises(DataError, match=r"the DataFrame \(validation\) has 0 rows"):
        audit(table(), validation=table()[:0], label="animal", group="race")


def test_several_attributes_have_an_audit_of_their_own():
    with pytest.raises(
        UsageError, match=r"DataFrame: the label names several attributes; audit them with fairdistill\."
    ):
        audit(table().assign(smile=1), label="animal,smile", group="race")
    assert audit(table().rename(columns={"animal": "a,b"}), label="a,b", group="race", draws=200).rows == 600


def attributes(turn: int = 0) -> pd.DataFrame:
    row = np.arange(400)
    frame = pd.DataFrame({"id": row, "smiling": row % 2, "glasses": row // 2 % 2, "group": row // 4 % 2})
    frame["pred_smiling"] = np.where(row % (7 + turn), frame.smiling, 1 - frame.smiling)
    frame["p_smiling"] = np.where(row % (7 + turn), 0.1 + 0.8 * frame.smiling, 0.5)
    frame["p_glasses"] = np.where(row % (9 + turn), frame.glasses, 0.5)
    return frame


def long() -> pd.DataFrame:
    wide = attributes()
    each = [wide[["id", "group"]].assign(what=name, label=wide[name]) for name in ("smiling", "glasses")]
    return pd.concat([each[0].assign(pred=wide.pred_smiling), each[1].assign(pred=(wide.p_glasses >= 0.5).astype(int))])


@pytest.mark.parametrize(
    ("frame", "columns"), [(attributes(), {"label": "smiling,glasses"}), (long(), {"attribute": "what"})]
)
def test_several_attributes_are_read_as_from_a_file(tmp_path, frame, columns):
    others = {"against": attributes(1), "validation": attributes(2)} if "label" in columns else {"against": frame}
    files = {name: tmp_path / f"{name}.csv" for name in ("test", *others)}
    for name, each in {"test": frame, **others}.items():
        each.to_csv(files[name], index=False)
    in_memory = audit_attributes(frame, **others, **columns, draws=200).to_dict()
    path = files.pop("test")
    of_file = audit_attributes(path, **files, **columns, draws=200).to_dict()
    names = {
        "DataFrame (against)": files["against"],
        "DataFrame (validation)": files.get("validation"),
        "DataFrame": path,
    }
    assert str(of_file).count(str(tmp_path)) > 0
    said = str(in_memory)
    for name, file in names.items():
        said = said.replace(name, str(file))
    assert said == str(of_file)
