from __future__ import annotations

from fairdistill.fixing.work.readings import record_reading
from fairdistill.runs import read_json


def test_every_reading_of_the_test_set_is_recorded_also_to_keep_the_model(tmp_path):
    assert record_reading(tmp_path, "keep", "deo_a") == ()
    assert record_reading(tmp_path, "keep", "deo_a") == ()
    (before,) = record_reading(tmp_path, "fair head", "deo_m")
    assert (before.chosen, before.rule) == ("keep", "deo_a")
    assert len(read_json(tmp_path / "test-reads.json")["reads"]) == 2


def test_candidates_of_one_name_that_differ_are_different_readings(tmp_path):
    for steps in (100, 100, 200):
        earlier = record_reading(tmp_path, "ss", "deo_a", settings={"steps": steps})
    assert [each.chosen for each in earlier] == ["ss"]
    assert len(read_json(tmp_path / "test-reads.json")["reads"]) == 2
