import pytest

from fairdistill.cli.main import main
from fairdistill.cli.unknown import of_other_data, of_some_data, unknown_option


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("unrecognized arguments: --modle resnet18", "did you mean --model?"),
        ("Unrecognized arguments: x --modle=resnet18", "did you mean --model?"),
        ("unrecognized arguments: --label gender", "--label needs --data"),
        ("unrecognized arguments: --abacus 3", ""),
        ("unrecognized arguments: stray", ""),
        ("unrecognized arguments: faces.csv", "did you mean --data faces.csv?"),
        ("unrecognized arguments: digits-s x", "did you mean --data digits-s?"),
        ("unrecognized arguments: faces.csv --label gender", "did you mean --data faces.csv?"),
        ("--model: expected a text; unlike --modle", ""),
        ("--config: unknown option 'modle'", "did you mean --model?"),
        ("--config: unknown option 'label'", "--label needs --data"),
        ("--config: unknown option 'a.b'", ""),
    ],
)
def test_an_unknown_option_is_answered_with_what_was_meant_or_where_it_belongs(message, said):
    assert unknown_option(message, ["-h", "--model", "--data"], {"--label": "needs --data"}) == said


def test_images_to_predict_are_named_with_their_option(capsys):
    for arguments in (["faces.csv"], ["--data", "faces.csv"]):
        assert main(["predict", "m.pt", *arguments]) == 2
        assert "--images" in capsys.readouterr().err


def test_a_table_of_groups_beside_a_table_is_to_be_joined_with_it():
    assert of_other_data("faces.csv")["--group-table"].endswith(
        "faces.csv is a table of images; join the two tables into one, for example with merge of pandas"
    )


def test_options_of_a_table_are_explained_for_a_folder_and_its_only_table_is_named(tmp_path):
    (tmp_path / "train").mkdir()
    assert of_other_data(str(tmp_path))["--label"].endswith(f"but --data {tmp_path} is a folder of class folders")
    (tmp_path / "faces.csv").write_text("path,gender\n")
    hints = of_other_data(str(tmp_path))
    assert hints["--label"].endswith(f"to use the table in it: --data {tmp_path / 'faces.csv'}")
    assert "--group" not in hints, "a folder has it, too"
    (tmp_path / "more.csv").write_text("path,gender\n")
    assert "table in it" not in of_other_data(str(tmp_path))["--label"]


def test_options_of_another_data_set_are_explained():
    assert of_other_data("digits-s")["--image"] == "is an option of a table of images, but the data set is digits-s"
    assert of_other_data("digits-s")["--download"].startswith("is an option of the data set cifar10s, but")
    assert "--skew" not in of_other_data("digits-s")
    assert "--data" in of_some_data()["--group-table"]


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["audit", "m.pt", "--model", "resnet18"], ["--model is for a model", "with --data"]),
        (["audit", "m.pt", "--image", "path"], ["--image is for images of your own", "with --data"]),
        (["audit", "t.csv", "--markdwn"], ["did you mean --markdown? See fairdistill audit --help"]),
        (
            ["audit", "m.pt", "--data", "t.csv", "--pred", "said"],
            ["--pred is for a table of predictions", "drop --data"],
        ),
        (["audit", "m.pt", "--data", "digits-s", "--label", "age"], ["--label is an option of a table of images"]),
        (["fix", "m.pt", "--label", "age"], ["--label is for images of your own", "with --data"]),
        (["export", "m.pt", "--label", "age"], ["--label is for images of your own", "with --data"]),
        (["train", "--label", "age"], ["--label is an option of a table of images, but the data set is digits-s"]),
        (["bench", "digits-s", "--image", "path"], ["--image is an option of a table of images"]),
        (["compare", "run", "--label", "age"], ["unrecognized arguments: --label age; see fairdistill compare --help"]),
    ],
)
def test_an_option_in_the_wrong_place_is_told_where_it_belongs(arguments, parts, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    shown = capsys.readouterr().err
    for part in parts:
        assert part in shown
    assert shown.count("--help") == len(shown.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_an_option_is_not_taken_for_a_longer_one(capsys):
    assert main(["train", "--label", "0.1"]) == 2, "--label-smoothing is another option"
    assert "--label-smoothing" not in capsys.readouterr().err
