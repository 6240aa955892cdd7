from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from fairdistill.cli.main import main
from fairdistill.errors import ResourceError
from fairdistill.runs import RunFolder, resume_command


@pytest.mark.parametrize("moved", [{"data": "/gone/faces.csv"}, {"teacher": "/gone/teacher", "method": "mfd"}])
def test_a_path_that_a_resumed_run_no_longer_finds_is_named_with_where_to_correct_it(make_teacher, tiny, capsys, moved):
    run = make_teacher("run", finished=False, model="digit_net")
    config = Path(run) / "config.yaml"
    config.write_text(yaml.safe_dump({**yaml.safe_load(config.read_text()), **moved}))
    assert main(["train", "--resume", run]) == 2
    shown = capsys.readouterr().err
    assert "/gone/" in shown
    assert f"those of the run are in {config}: if its files have moved, enter the new paths" in shown
    assert len(shown.splitlines()) == 1


def test_a_full_disk_after_the_first_checkpoint_is_told_with_how_to_resume(tiny, tmp_path, capsys, monkeypatch):
    def fails(_options):
        run.checkpoint_path.parent.mkdir(parents=True)
        run.checkpoint_path.touch()
        raise ResourceError("the disk is full")

    run = RunFolder(tmp_path / "run")
    monkeypatch.setattr("fairdistill.training.train", fails)
    assert main(["train", "--data", "tiny", "--out", str(run.path)]) == 74
    assert f"the disk is full; a run that has a checkpoint is continued with: {resume_command(run.path)}" in (
        capsys.readouterr().err
    )
