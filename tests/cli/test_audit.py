"""``fairdistill audit``, ``embed`` and ``report`` as a user types them, on tables, runs and models with images."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import pytest
import torch

from fairdistill import models
from fairdistill.cli.main import main
from fairdistill.runs.folder import RunFolder
from tests.reporting.making import made_run
from tests.training.faces import draw_table


def table(path: Path, *, gap: float = 0.3, rows: int = 800, name: str = "predictions.csv") -> Path:
    """Write predictions of two classes whose second group is recognised ``gap`` less often."""
    with (path / name).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "sex", "race", "said"])
        for row in range(rows):
            label, group = row % 2, row // 2 % 2
            right = row // 4 % 20 >= round(20 * gap * group)
            writer.writerow([f"{row}.jpg", "fm"[label], "xy"[group], "fm"[label if right else 1 - label]])
    return path / name


COLUMNS = ["--label", "sex", "--group", "race", "--pred", "said", "--draws", "200"]


def test_a_table_from_other_software_is_audited_and_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["audit", str(table(tmp_path)), *COLUMNS]) == 0
    shown = capsys.readouterr().out
    assert "800 samples, 2 classes, 2 groups" in shown
    assert "the groups differ by 30.0 points" in shown
    said = json.loads((tmp_path / "audit.json").read_text())
    assert said["metrics"]["deo_a"]["value"] == pytest.approx(0.3)
    assert said["metrics"]["deo_a"]["low"] < 0.3 < said["metrics"]["deo_a"]["high"]
    assert said["metrics"]["calibration_error"] is None


@pytest.mark.parametrize(("limit", "code"), [("0.5", 0), ("0.1", 1), ("0.3", 3)])
def test_a_limit_decides_the_exit_code(tmp_path, monkeypatch, limit, code):
    monkeypatch.chdir(tmp_path)
    assert main(["audit", str(table(tmp_path)), *COLUMNS, "--max-deo-a", limit]) == code


def test_two_tables_are_compared_row_by_row(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before, after = table(tmp_path), table(tmp_path, gap=0.0, name="after.csv")
    assert main(["audit", str(after), *COLUMNS, "--against", str(before)]) == 0
    assert "2 of 4 subgroups got significantly better" in capsys.readouterr().out
    lines = before.read_text().splitlines()
    before.write_text("\n".join([lines[0], "other.jpg,f,x,f", *lines[2:]]))
    assert main(["audit", str(after), *COLUMNS, "--against", str(before)]) == 2
    assert "after.csv names" not in (error := capsys.readouterr().err)
    assert "before" not in error
    assert "'other.jpg'" in error


def test_groups_are_cut_and_unknown_values_named_on_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    lines = ["label,group,age,pred", *(f"{row % 2},{'?AB'[row % 3]},{row % 50},{row % 2}" for row in range(300))]
    Path("t.csv").write_text("\n".join(lines) + "\n")
    grouped = ["audit", "t.csv", "--draws", "200", "--group", "group,age"]
    assert main([*grouped, "--bin", "age=25", "--unknown", "?,NA"]) == 0
    shown = capsys.readouterr().out
    assert "300 samples, 100 without a group label, 2 classes, 4 groups" in shown
    assert "No row has the group 'NA' that --unknown names." in shown
    assert main([*grouped, "--bin", "years=25"]) == 2
    assert "--bin years: only the group columns can be binned: group, age" in capsys.readouterr().err
    assert main([*grouped, "--rows", "all"]) == 2


def test_a_run_brings_its_teacher_and_its_validation_along(quick, tiny_teacher, tmp_path, capsys):
    assert main(["train", *as_arguments(quick(method="mfd", teacher=tiny_teacher))]) == 0
    run = RunFolder.open(tmp_path / "run")
    assert main(["audit", str(run.path), "--draws", "200"]) in (0, 3)
    shown = capsys.readouterr().out
    assert "Change against" in shown
    assert "group logit adjustment" in shown
    said = json.loads((run.path / "audit.json").read_text())
    assert said["counts"] == run.result["counts"]
    assert said["metrics"]["accuracy"]["value"] == pytest.approx(run.result["accuracy"])


def as_arguments(options) -> list[str]:
    given = {"data": options.data, "method": options.method, "teacher": options.teacher, "out": options.out}
    given |= {"steps": options.steps, "batch-size": options.batch_size, "device": "cpu", "precision": "float32"}
    return [part for name, value in given.items() for part in (f"--{name}", str(value))]


def test_a_model_is_audited_with_a_table_of_images(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    images = draw_table(tmp_path / "data", train=8, test=32)
    torch.manual_seed(0)
    torch.save(models.build("digit_net", 2).state_dict(), tmp_path / "deployed.pt")
    arguments = [
        "audit", "deployed.pt", "--model", "digit_net", "--data", str(images), "--label", "shape", "--group", "ground",
        "--size", "16", "--image-cache", str(tmp_path / "cache"), "--draws", "200", "--device", "cpu",
    ]  # fmt: skip
    assert main(arguments) == 0
    assert "deployed.pt on images.csv/test: 32 samples, 2 classes, 2 groups" in capsys.readouterr().out
    said = json.loads((tmp_path / "audit.json").read_text())
    assert said["posthoc"] is None
    assert said["rows"] == 32
    assert 0 <= said["metrics"]["calibration_error"] <= 1


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ([], ["SOURCE"]), (["none.csv"], ["there is no table none.csv"]),
        (["https://host/t.csv"], ["https://host/t.csv is an address; give a path on this machine"]),
        (["deployed.pt"], ["not a table", "--data"]),
        (["t.csv", "--group", "rase"], ["no column 'rase'", "race", "--group"]),
        (["nowhere"], ["does not exist", "table of predictions"]),
        (["."], ["not a run folder", "table of predictions", "--data"]),
        (["t.csv", "--max-deo-a", "5"], ["5% is 0.05"]), (["t.csv", "--draws", "few"], ["--draws", "whole number"]),
        (["t.csv", "--out", "no/a.json"], ["cannot write no/a.json"]), (["t.csv", "--against", "none"], ["none"]),
        (["deployed.pt", "--data", "digits-s"], ["contains only weights", "--model"]),
        (["deployed.pt", "--data", "digits-s", "--model", "resnet18"], ["do not fit ResNet"]),
        (["deployed.pt", "--data", "digits-s", "--validation", "t.csv"], ["--validation applies only to tables"]),
        (["none.pt", "--data", "digits-s"], ["there is no model none.pt"]),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_with_exit_code_2(tmp_path, monkeypatch, capsys, arguments, parts):
    monkeypatch.chdir(tmp_path)
    table(tmp_path, name="t.csv")
    torch.save(models.build("digit_net", 3).state_dict(), tmp_path / "deployed.pt")
    columns = COLUMNS if arguments[:1] == ["t.csv"] else []
    assert main(["audit", *columns, *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1
    for part in parts:
        assert part in shown.err
    assert not list(tmp_path.glob("*.json"))


def test_embed_and_report_say_what_they_wrote(quick, tiny_teacher, tmp_path, capsys):
    assert main(["embed", tiny_teacher, "--samples", "30", "--dims", "2", "--device", "cpu"]) == 0
    shown = capsys.readouterr().out
    assert "How often the group can be read from the features" in shown
    assert "embedding.json" in shown
    out, card = tmp_path / "r.html", tmp_path / "card.md"
    assert main(["report", tiny_teacher, "--out", str(out), "--card", str(card), "--draws", "200"]) == 0
    assert capsys.readouterr().out == f"Written: {out}\nWritten: {card}\n"
    assert "Features: what they reveal about the group" in out.read_text()


def test_runs_of_other_rows_are_refused_in_a_report(tmp_path, capsys):
    first = made_run(tmp_path / "a", method="ss", gap=0.1)
    second = made_run(tmp_path / "b", method="mfd", gap=0.1, data="other")
    result = json.loads((second.path / "result.json").read_text())
    (second.path / "result.json").write_text(json.dumps({**result, "digests": {"test": "2"}}))
    assert main(["report", str(first.path), str(second.path), "--out", str(tmp_path / "r.html")]) == 2
    assert "different data" in capsys.readouterr().err
    assert not (tmp_path / "r.html").exists()


def test_a_link_is_written_through_and_what_is_no_file_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "target.json").write_text("{}")
    (tmp_path / "link.json").symlink_to("target.json")
    assert main(["audit", str(table(tmp_path)), *COLUMNS, "--out", "link.json"]) == 0
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "target.json").read_text())["rows"] == 800
    os.mkfifo(tmp_path / "pipe.json")
    assert main(["audit", str(table(tmp_path)), *COLUMNS, "--out", "pipe.json"]) == 2
    assert "exists and is not a regular file; choose another path" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.part"))


def test_a_model_that_says_one_class_is_not_let_through(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = table(tmp_path, gap=0.0)
    path.write_text("\n".join(line[:-1] + "f" if at else line for at, line in enumerate(path.read_text().split())))
    assert main(["audit", str(path), *COLUMNS, "--max-deo-a", "0.5"]) == 3
    assert "undecided: the model predicts a single class for every sample" in capsys.readouterr().out


def test_labels_of_another_spelling_and_the_class_of_a_score_are_said(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = table(tmp_path)
    lines = path.read_text().split()
    path.write_text("\n".join([lines[0], *(line + ".0" * (at % 2) for at, line in enumerate(lines[1:]))]))
    assert main(["audit", str(path), *COLUMNS]) == 0
    assert "The model predicts 'f.0', 'm.0', but no sample has that label" in capsys.readouterr().out
    path.write_text("\n".join([lines[0], *(line + ".0" for line in lines[1:])]))
    assert main(["audit", str(path), *COLUMNS]) == 2
    assert "labels (f, m) and predictions (f.0, m.0) share no value; spell" in capsys.readouterr().err
    path.write_text("\n".join([lines[0] + ",score", *(f"{line},{at % 3 / 2}" for at, line in enumerate(lines[1:]))]))
    assert main(["audit", str(path), "--label", "sex", "--group", "race", "--score", "score", "--draws", "500"]) == 0
    assert "Samples with score of at least 0.5 are predicted 'm', all others 'f'" in capsys.readouterr().out


def test_a_confidence_that_the_draws_cannot_support_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["audit", str(table(tmp_path)), *COLUMNS, "--confidence", "0.999"]) == 2
    assert "confidence 0.999 needs at least 10,000 draws, but got 200" in capsys.readouterr().err


def piped(monkeypatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def test_json_stands_alone_on_standard_output(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = table(tmp_path)
    assert main(["audit", str(path), *COLUMNS, "--against", str(path), "--max-deo-a", "0.1", "--json"]) == 1
    shown = capsys.readouterr()
    said = json.loads(shown.out)
    assert said["limits"][0]["verdict"] == "beyond"
    assert said["metrics"]["calibration_error"] is None
    assert all(f"{note}." in shown.err for note in said["notes"])
    assert not list(tmp_path.glob("*.json"))
    assert main(["audit", str(path), *COLUMNS, "--json", "--out", "kept.json"]) == 0
    assert json.loads((tmp_path / "kept.json").read_text()) == json.loads(capsys.readouterr().out)


def test_a_summary_in_markdown_comes_with_the_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["audit", str(table(tmp_path)), *COLUMNS, "--max-deo-a", "0.5", "--markdown"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("## Fairness audit: pass\n")
    assert shown.err == "Written: audit.json\n"
    assert json.loads((tmp_path / "audit.json").read_text())["rows"] == 800
    assert main(["audit", str(table(tmp_path)), *COLUMNS, "--json", "--markdown"]) == 2
    assert "--json and --markdown both say what to print" in capsys.readouterr().err


def test_a_table_on_standard_input_is_audited_like_a_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = table(tmp_path)
    found = []
    for source in (str(path), "-"):
        piped(monkeypatch, path.read_text())
        assert main(["audit", source, *COLUMNS, "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert found[1]["where"] == "standard input"
    assert {**found[1], "where": str(path)} == found[0]
    header, *rows = (line.split(",") for line in path.read_text().split())
    piped(monkeypatch, "\n".join(json.dumps(dict(zip(header, row, strict=True))) for row in rows))
    assert main(["audit", "-", *COLUMNS, "--json"]) == 0
    assert {**json.loads(capsys.readouterr().out), "where": str(path)} == found[0]
    piped(monkeypatch, table(tmp_path, gap=0.0, name="other.csv").read_text())
    assert main(["audit", str(path), *COLUMNS, "--against", "-", "--max-harm", "0.1"]) == 1
    assert "Change against standard input" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "arguments", "parts"),
    [
        ("", ["-"], ["standard input is empty; pipe a table of predictions (CSV)"]),
        ("id,sex,race,said\n1,f,x\n", ["-"], ["standard input, line 2: expected 4 fields"]),
        ("id,sex\n1,f\n", ["-"], ["standard input has no column 'race'"]),
        ("x", ["-", "--against", "-"], ["standard input (-) can be read only once"]),
        ("x", ["t.csv", "--max-harm", "0.1"], ["--max-harm needs another model", "--against"]),
    ],
)
def test_bad_standard_input_is_one_line(tmp_path, monkeypatch, capsys, text, arguments, parts):
    monkeypatch.chdir(tmp_path)
    table(tmp_path, name="t.csv")
    piped(monkeypatch, text)
    assert main(["audit", *COLUMNS, *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1
    assert all(part in shown.err for part in parts)
    assert not list(tmp_path.glob("*.json"))


def test_undecided_ends_with_0_if_it_is_allowed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    limits = ["--max-deo-a", "0.3", "--min-accuracy", "0.5", "--max-worst-gap", "0.9"]
    assert main(["audit", str(table(tmp_path)), *COLUMNS, *limits]) == 3
    assert main(["audit", str(table(tmp_path)), *COLUMNS, *limits, "--allow-undecided"]) == 0
    assert "undecided: these data cannot tell" in capsys.readouterr().out
    assert json.loads((tmp_path / "audit.json").read_text())["allow_undecided"] is True


def test_a_document_for_auditors_is_written_beside_the_audit(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["audit", str(table(tmp_path)), *COLUMNS, "--positive", "f", "--template", "ugesp"]) == 0
    assert capsys.readouterr().out.endswith("Written: audit.json, audit-ugesp.md\n")
    assert "### Selection rate by race" in Path("audit-ugesp.md").read_text(encoding="utf-8")
    assert json.loads(Path("audit.json").read_text())["selection"][0]["attributes"] == ["race"]
    named = ["--template", "annex-iv", "--template-out", "doc.md", "--json"]
    assert main(["audit", str(table(tmp_path)), *COLUMNS, *named]) == 0
    assert "## 2 (g). Validation and testing" in Path("doc.md").read_text(encoding="utf-8")
    assert capsys.readouterr().err.endswith("Written: doc.md\n")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--template", "nyc"], ["--template nyc compares how often groups are selected", "--positive"]),
        (["--template", "ugesp", "--positive", "x"], ["--positive x is not a class of", "choose from f, m"]),
        (["--template", "gdpr"], ["expected one of nyc, ugesp, annex-iv"]),
        (["--template-out", "doc.md"], ["--template-out needs --template"]),
        (["--template", "annex-iv", "--template-out", "no/d.md"], ["cannot write no/d.md", "--template-out"]),
        (["--template", "nyc", "--positive", "f", "--group", "sexx"], ["no column 'sexx'"]),
    ],
)
def test_a_document_that_cannot_be_made_is_one_line(tmp_path, monkeypatch, capsys, arguments, parts):
    monkeypatch.chdir(tmp_path)
    assert main(["audit", str(table(tmp_path)), *COLUMNS, *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1
    assert all(part in shown.err for part in parts)
    assert [path.name for path in tmp_path.iterdir()] == ["predictions.csv"]


@pytest.mark.parametrize("read", ["source", "--against", "--validation"])
def test_a_table_that_is_read_is_not_overwritten(read, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    first, other = table(tmp_path), table(tmp_path, name="other.csv")
    before = other.read_bytes()
    sources = [str(other)] if read == "source" else [str(first), read, str(other)]
    assert main(["audit", *sources, *COLUMNS, "--out", "other.csv"]) == 2
    assert (
        "other.csv is read by this command, and would be overwritten; choose another --out" in capsys.readouterr().err
    )
    assert other.read_bytes() == before


@pytest.mark.parametrize("option", ["--out", "--card"])
def test_a_report_overwrites_no_file_of_its_run(option, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    made_run(tmp_path / "run", gap=0.1)
    before = (tmp_path / "run" / "config.yaml").read_bytes()
    assert main(["report", "run", option, "run/config.yaml"]) == 2
    assert (
        f"run/config.yaml belongs to run, which this command reads, and would be overwritten; choose another {option}"
        in (capsys.readouterr().err)
    )
    assert (tmp_path / "run" / "config.yaml").read_bytes() == before
