from __future__ import annotations

import numpy as np

from fairdistill.predictions import run_predictions
from fairdistill.reporting import teachers
from fairdistill.reporting.teachers import Teachers
from tests.reporting.making import made_run


def test_a_teacher_of_several_runs_is_read_once(tmp_path, monkeypatch):
    read = []

    def counted(run, *rest):
        read.append(run.path.name)
        return run_predictions(run, *rest)

    monkeypatch.setattr(teachers, "run_predictions", counted)
    runs = [made_run(tmp_path / name, method=name, gap=0.05, teacher_gap=0.3) for name in ("mfd", "at")]
    other = made_run(tmp_path / "fitnet", method="mfd", gap=0.05, teacher_gap=0.2)
    known = Teachers(run_predictions(runs[0]))
    one, same, different = (known.correct(run) for run in (*runs, other))
    assert read == ["mfd", "fitnet"]
    np.testing.assert_array_equal(one, run_predictions(runs[1], "teacher_predictions.csv").correct)
    np.testing.assert_array_equal(same, one)
    assert (different != one).any()
    assert known.correct(made_run(tmp_path / "alone", method="scratch", gap=0.3)) is None
