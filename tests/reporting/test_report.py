"""The page and the card: what they hold, that text from users stays text, and what is refused."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from fairdistill.auditing import audit
from fairdistill.errors import RunFolderError, UsageError
from fairdistill.reporting import ReportOptions, report
from fairdistill.runs import RunFolder, finite_or_null
from fairdistill.text.numbers import percent
from tests.reporting.making import CLASSES, made_run, with_embedding

DRAWS = 200


@pytest.fixture
def runs(tmp_path: Path) -> list[RunFolder]:
    return [
        made_run(tmp_path / "teacher", method="scratch", gap=0.3, notes=("3 rows <b>repeat</b> a picture",)),
        with_embedding(made_run(tmp_path / "mfd-0", method="mfd", gap=0.05, teacher_gap=0.3)),
        made_run(tmp_path / "mfd-1", method="mfd", gap=0.05, teacher_gap=0.3, seed=1),
    ]


def written(runs: list[RunFolder], tmp_path: Path, **options) -> str:
    result = report([run.path for run in runs], out=str(tmp_path / "r.html"), draws=DRAWS, **options)
    return Path(result.page).read_text(encoding="utf-8")


class Cells(HTMLParser):
    """The values of a table's cells, by row and metric."""

    def __init__(self) -> None:
        super().__init__()
        self.row = self.metric = ""
        self.found: dict[tuple[str, str], float] = {}
        self.texts: dict[tuple[str, str], list[str]] = {}
        self.tags: list[str] = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append(tag)
        self.row = given.get("data-row", self.row)
        self.metric = given.get("data-metric", "" if tag == "td" else self.metric)
        if "data-value" in given and self.metric:
            self.found[self.row, self.metric] = float(given["data-value"])

    def handle_data(self, data):
        if self.metric and data.strip():
            self.texts.setdefault((self.row, self.metric), []).append(data.strip())


def cells(text: str) -> Cells:
    parser = Cells()
    parser.feed(text)
    return parser


def test_the_numbers_on_the_page_are_those_of_the_results(runs, tmp_path):
    found = cells(written(runs, tmp_path)).found
    for metric in ("accuracy", "deo_a", "deo_m"):
        values = [run.result[metric] for run in runs]
        assert found["scratch", metric] == pytest.approx(values[0])
        assert found["mfd", metric] == pytest.approx((values[1] + values[2]) / 2)


def test_the_scores_of_each_group_are_means_over_the_runs(runs, tmp_path):
    result = report([run.path for run in runs], out=str(tmp_path / "r.html"), draws=DRAWS)
    audits = [audit(run.path, draws=DRAWS) for run in runs[1:]]
    _, row = result.content.rows
    for at, group in enumerate(row.groups):
        for name in ("auc", "brier", "impact_ratio"):
            of_runs = [getattr(each.groups[at], name).value for each in audits]
            assert getattr(group, name) == pytest.approx(sum(of_runs) / 2)
    text = Path(result.page).read_text(encoding="utf-8")
    assert f"<td>z</td><td>{percent(row.groups[1].auc)}</td><td>{percent(row.groups[1].brier)}</td>" in text


def test_the_card_shows_the_numbers_of_the_page(runs, tmp_path):
    page = written(runs, tmp_path, card=str(tmp_path / "card.md"))
    shown = cells(page).texts
    lines = (tmp_path / "card.md").read_text().replace("\\", "").splitlines()
    for row in ("scratch", "mfd"):
        (line,) = (line for line in lines if line.startswith(f"| {row} |"))
        accuracy, worst, deo_a, floor, deo_m = (cell.strip() for cell in line.strip("| ").split(" | ")[1:])
        assert shown[row, "accuracy"] == accuracy.split(maxsplit=1)
        assert shown[row, "worst_group"][:2] == worst.split(maxsplit=1)
        assert shown[row, "deo_a"] == [*deo_a.split(maxsplit=1), f"by chance {floor}"]
        assert shown[row, "deo_m"][:2] == deo_m.split(maxsplit=1)
    for sentence in (line[2:] for line in lines if line.startswith("* mfd:")):
        assert sentence in page


def test_the_result_holds_what_the_page_shows(runs, tmp_path):
    result = report([run.path for run in runs], out=str(tmp_path / "r.html"), draws=DRAWS)
    assert (result.page, result.card) == (str(tmp_path / "r.html"), None)
    assert [row.label for row in result.content.rows] == ["scratch", "mfd"]
    mfd = result.content.rows[1]
    assert mfd.deo_a.value == pytest.approx((runs[1].result["deo_a"] + runs[2].result["deo_a"]) / 2)
    assert mfd.change.deo_a.value < 0
    assert result.content.rows[0].change is None
    assert result.content.leakage[0].teacher.probe == 0.9
    assert result.content.leakage[0].teacher.auc == 0.875
    assert (tmp_path / "r.html").read_text().count("<td>87.5</td>") == 2
    json.dumps(finite_or_null(result.to_dict()), allow_nan=False)
    first, second = result.text().splitlines()
    assert first.startswith("scratch: ")
    assert second.startswith("mfd: ")


def test_pictures_of_undefined_gaps_are_left_out(runs, tmp_path):
    text = written(runs, tmp_path)
    assert 'id="trade-off"' in text
    assert 'id="curve-deo"' not in text
    assert "is undefined, because a subgroup has no images there" in text
    runs[0].append_log({"step": 30, "evaluation": {"accuracy": 0.9, "deo_a": 0.1}})
    text = written(runs, tmp_path)
    assert 'id="curve-deo"' in text
    assert "is undefined, because a subgroup has no images there" not in text


def test_the_page_asks_for_nothing_from_outside_and_is_small(runs, tmp_path):
    text = written(runs, tmp_path)
    head = text[: text.index('<script type="application/json"')]
    assert not re.search(r"(src|href)=\"(?!#)", head)
    assert "default-src 'none'" in head
    assert len(text.encode()) < 8_000_000


def test_text_from_users_is_shown_as_text(runs, tmp_path):
    text = written(runs, tmp_path, title="<img src=x onerror=alert(2)>", intended_use="</pre><script>alert(3)</script>")
    page = text[: text.index('<script type="application/json"')]
    assert "<script>" not in page
    assert "<img" not in page
    assert "<b>repeat" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert cells(text).tags.count("script") == 3  # the data, Plotly and the page's own


def test_the_data_of_the_figures_cannot_end_its_script(runs, tmp_path):
    text = written(runs, tmp_path)
    data = re.search(r'id="figures">(.*?)</script>', text, re.DOTALL)
    assert data is not None
    figures = json.loads(data[1])
    assert tuple(figures["class_names"]) == CLASSES
    assert [len(row["curves"]) for row in figures["rows"]] == [1, 2]
    assert figures["rows"][0]["change"] is None
    assert len(figures["rows"][1]["change"]) == 2
    picture = figures["pictures"][0]
    assert [len(line) for line in picture["student"]] == [60] * 3
    assert max(abs(value) for line in picture["teacher"] for value in line) == 1


def test_words_say_what_changed_and_whom_it_harmed(runs, tmp_path):
    text = written(runs, tmp_path)
    assert "Compared with its teacher, the gap changes by -2" in text
    assert "No subgroup got significantly worse." in text
    assert "600 images" in text
    assert "3 rows &lt;b&gt;repeat&lt;/b&gt; a picture." in text
    assert "Broken images that were left out: 2." in text
    assert "1 in train" in text


def test_levelling_down_is_called_by_its_name(tmp_path):
    """The student is as bad for everybody as the teacher is for the second group."""
    run = made_run(tmp_path / "mfd", method="mfd", gap=0.0, teacher_gap=0.0)
    lines = (run.path / "teacher_predictions.csv").read_text().splitlines()
    student = (run.path / "predictions.csv").read_text().splitlines()
    for at, line in enumerate(lines):
        cut = line.split(",")
        if at and cut[3] == "0":  # the teacher is right about the whole first group
            right = cut[2]
            lines[at] = ",".join([*cut[:4], right, *("0.8" if str(c) == right else "0.1" for c in range(3))])
        elif at:
            lines[at] = student[at]
    (run.path / "teacher_predictions.csv").write_text("\n".join(lines) + "\n")
    text = written([run], tmp_path)
    assert "levelling down" in text.lower()


def test_runs_without_a_teacher_or_an_embedding_have_no_such_section(tmp_path):
    text = written([made_run(tmp_path / "t", method="scratch", gap=0.1)], tmp_path)
    assert 'id="features"' not in text
    assert "no teacher" in text


def test_paths_below_the_current_folder_are_shown_from_there(tmp_path, monkeypatch):
    places = {"teacher": f"{tmp_path}/models/deployed", "data_root": "/elsewhere"}
    run = made_run(tmp_path / "t", method="scratch", gap=0.1, **places)
    monkeypatch.chdir(tmp_path)
    text = written([RunFolder.open(run.path)], tmp_path)
    assert "teacher: models/deployed\n" in text
    assert "data_root: /elsewhere\n" in text


def test_the_card_is_written_as_markdown_in_which_names_are_no_markup(runs, tmp_path):
    options = ReportOptions(
        out=str(tmp_path / "r.html"), card=str(tmp_path / "card.md"), draws=DRAWS, intended_use="Sorting *letters*."
    )
    result = report([run.path for run in runs], options=options)
    text = Path(result.card).read_text()
    assert "---\n\n# Model card: made-up" in text
    assert [model["name"] for model in yaml.safe_load(text.split("---\n")[1])["model-index"]] == ["scratch", "mfd"]
    assert "Sorting \\*letters\\*." in text
    assert "x\\|y" in text
    assert "<" not in text.replace("&lt;", "")
    for row in ("scratch", "mfd"):
        assert re.search(rf"^\| {row} \| \d+\.\d ", text, re.MULTILINE)
    assert "Sorting \\*letters\\*." in Path(result.page).read_text()


def test_more_rows_with_pictures_than_there_is_room_for_are_named(tmp_path):
    runs = [
        with_embedding(
            made_run(tmp_path / str(at), method="mfd", gap=0.1, teacher_gap=0.2, lr=at / 1000), teacher=at > 3
        )
        for at in range(1, 9)
    ]
    text = written(runs, tmp_path)
    assert "Not shown for lack of space: mfd (lr=0.007), mfd (lr=0.008)." in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"out": "nowhere/r.html"}, "cannot write nowhere/r.html"), ({"card": "."}, "cannot write ."),
        ({"draws": 10}, "draws to lie between 100 and"), ({"confidence": 1.0}, "confidence to lie between"),
        ({"seed": -1}, "seed to be at least 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_or_drawn_is_refused(tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    run = made_run(tmp_path / "t", method="scratch", gap=0.1)
    with pytest.raises(UsageError, match=re.escape(message)):
        report([run.path], options=ReportOptions(**options))
    assert not list(tmp_path.glob("*.html"))


def test_a_single_run_may_be_given_by_itself(tmp_path):
    run = made_run(tmp_path / "my-run", method="scratch", gap=0.1)
    assert report(str(run.path), out=str(tmp_path / "r.html")).content.rows[0].label == "scratch"


def test_rows_without_their_runs_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for source in ("rows.json", "-"):
        with pytest.raises(UsageError, match=f"^{source} holds rows, .*: fairdistill compare {source}$"):
            report([source])
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_finished_run_is_refused(tmp_path):
    with pytest.raises(RunFolderError, match="not a run folder"):
        report([tmp_path], out=str(tmp_path / "r.html"))
    run = made_run(tmp_path / "t", method="scratch", gap=0.1)
    (run.path / "result.json").unlink()
    with pytest.raises(RunFolderError, match="not finished"):
        report([run.path], out=str(tmp_path / "r.html"))


def test_a_cell_that_every_seed_harms_by_itself_is_called_harmed(tmp_path):
    """Two seeds say little of what others would do, but each may show harm that the test set's noise cannot explain."""
    runs = []
    for seed in (0, 1):
        run = made_run(tmp_path / str(seed), method="mfd", gap=0.0, teacher_gap=0.0, seed=seed)
        lines = (run.path / "predictions.csv").read_text().splitlines()
        for at, line in enumerate(lines):
            cut = line.split(",")
            if at and cut[2:4] == ["0", "0"] and at % (4 - seed):  # most rows of one cell become wrong
                lines[at] = ",".join([*cut[:4], "1", "0.1", "0.8", "0.1"])
        (run.path / "predictions.csv").write_text("\n".join(lines) + "\n")
        counts = [[[0] * 3 for _ in range(3)] for _ in range(2)]
        for line in lines[1:]:
            label, group, pred = (int(value) for value in line.split(",")[2:5])
            counts[group][label][pred] += 1
        run.write_json("result.json", {**run.result, "counts": counts})
        runs.append(run)
    text = written(runs, tmp_path)
    assert (
        "Significantly worse, corrected for the number of subgroups: &lt;script&gt;alert(1)&lt;/script&gt; of x|y"
        in text
    )


def test_the_page_and_the_card_must_be_two_files(tmp_path):
    run = made_run(tmp_path / "t", method="scratch", gap=0.1)
    with pytest.raises(UsageError, match="--out and --card both name"):
        report([run.path], out=str(tmp_path / "x"), card=str(tmp_path / "x"))


def test_names_that_command_a_terminal_or_end_a_line_do_neither_in_the_page_nor_in_the_card(tmp_path, monkeypatch):
    name = "x\x1b[2J\r\ny\u202e\x00"
    monkeypatch.setattr("tests.reporting.making.CLASSES", (name, name + "b", name + "c"))
    run = made_run(tmp_path / "run", method="scratch", gap=0.3, notes=(name,))
    result = report([run.path], out=str(tmp_path / "r.html"), card=str(tmp_path / "c.md"), draws=DRAWS)
    for path in (Path(result.page), tmp_path / "c.md"):
        content = path.read_bytes().decode()
        assert "\\x1b[2J" in content.replace("\\\\", "\\").replace("\\[", "[")
        assert not set("\x1b\u202e\x00\r") & set(content)
    assert not [line for line in (tmp_path / "c.md").read_text().splitlines() if line.startswith("y")]
