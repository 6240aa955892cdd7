from __future__ import annotations

import pytest

from fairdistill.errors import RunFolderError
from fairdistill.fixing.work import folder
from fairdistill.runs import write_json

IDENTITY = {"seed": 0, "fairdistill": "1", "digests": {"model": "a"}}


def test_a_second_fix_in_a_folder_is_refused_while_the_first_works(tmp_path):
    out = tmp_path / "out"
    with folder.held(out):
        folder.begin(out, IDENTITY)
        refused = pytest.raises(RunFolderError, match=r"another fix is working in .*out; wait for it or stop it")
        with refused, folder.held(out):
            pass
    with folder.held(out):
        folder.begin(out, IDENTITY)
        assert folder.plan_of(out)["identity"] == IDENTITY


def test_a_fix_that_fails_before_it_begins_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), folder.held(tmp_path / "out"):
        _ = 1 / 0
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_that_was_there_stays(tmp_path):
    with pytest.raises(ZeroDivisionError), folder.held(tmp_path):
        _ = 1 / 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mine", [("mine",), (".lock", "mine")])
def test_a_folder_with_something_else_is_not_touched(tmp_path, mine):
    for name in mine:
        (tmp_path / name).touch()
    with pytest.raises(RunFolderError, match="does not contain a fix"), folder.held(tmp_path):
        pass
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(mine)


def test_a_fix_of_an_earlier_version_is_refused(tmp_path):
    write_json(tmp_path / "plan.json", {"identity": {**IDENTITY, "fairdistill": "0.1"}, "epochs": 3})
    with pytest.raises(RunFolderError, match=r"contains a fix by fairdistill 0\.1, which this version cannot continue"):
        folder.begin(tmp_path, IDENTITY)


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"seed": 1}, "with seed 0, not 1"), ({"digests": {"model": "b"}}, "with a different model, which has changed")],
)
def test_another_fix_is_refused(tmp_path, changed, said):
    folder.begin(tmp_path, IDENTITY)
    with pytest.raises(RunFolderError, match=said):
        folder.begin(tmp_path, {**IDENTITY, **changed})


def test_the_plan_grows_and_is_kept(tmp_path):
    folder.begin(tmp_path, IDENTITY)
    assert folder.reached(tmp_path, "students/ss") == 0
    folder.record_reached(tmp_path, "students/ss", 100)
    folder.update_plan(tmp_path, short_steps=7)
    folder.begin(tmp_path, IDENTITY)
    assert (folder.plan_of(tmp_path)["short_steps"], folder.reached(tmp_path, "students/ss")) == (7, 100)


def test_a_fix_that_has_made_nothing_can_be_withdrawn(tmp_path):
    out = tmp_path / "out"
    with folder.held(out):
        folder.begin(out, IDENTITY)
        folder.withdraw(out)
    assert not out.exists()
    with folder.held(out):
        folder.begin(out, IDENTITY)
        folder.update_plan(out, rounds=[])
        folder.withdraw(out)
    assert folder.plan_of(out)["rounds"] == []


def test_a_model_trained_first_can_be_forgotten_with_its_plan(tmp_path):
    out = tmp_path / "out"
    with folder.held(out):
        folder.begin(out, IDENTITY)
        folder.update_plan(out, teacher_steps=1, reached={"teacher": 1})
        (out / "teacher").mkdir()
        (out / "teacher/model.safetensors").touch()
        folder.forget_teacher(out)
    assert not out.exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"deployed": "/new.pt"}, "with the deployed model '/old.pt', not '/new.pt'"),
        ({"data_options": {"label": "age", "size": 64}}, "with label 'gender', not 'age'"),
    ],
)
def test_a_different_fix_is_told_by_the_option_that_differs(tmp_path, changed, said):
    mine = {**IDENTITY, "deployed": "/old.pt", "data_options": {"label": "gender", "size": 64}}
    folder.begin(tmp_path, mine)
    with pytest.raises(RunFolderError, match=f"contains a fix {said}; choose another folder with --out"):
        folder.begin(tmp_path, {**mine, **changed})


def test_what_a_kill_left_while_the_plan_was_written_is_no_other_content(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / ".lock").touch()
    (out / "plan.json.123-456.part").write_text("{")
    with folder.held(out):
        folder.begin(out, IDENTITY)
    assert {path.name for path in out.iterdir()} == {".lock", "plan.json"}
