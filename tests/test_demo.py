import pytest

from fairdistill import demo as demo_module
from fairdistill.comparison import Row
from fairdistill.demo import DemoOptions, demo, in_words
from fairdistill.errors import RunFolderError
from fairdistill.training import train


@pytest.fixture
def short_runs(monkeypatch):
    trained = []

    def train_shortly(options):
        trained.append(options.method)
        return train(demo_module.TrainOptions(**{**vars(options), "steps": 2}), quiet=True)

    monkeypatch.setattr(demo_module, "train", train_shortly)
    return trained


def test_the_demo_trains_three_runs_a_seed_and_prints_one_table(short_runs, tmp_path, capsys):
    comparison = demo(DemoOptions(seeds=2, out=str(tmp_path / "demo")))
    assert short_runs == ["scratch", "ss", "mfd"] * 2
    assert [(row.method, row.seeds) for row in comparison.rows] == [(m, (0, 1)) for m in ("scratch", "ss", "mfd")]
    shown = capsys.readouterr().out
    assert "The teacher reads" in shown
    assert "The mfd student" in shown


def test_a_second_demo_shows_the_finished_runs_again(short_runs, tmp_path):
    first = demo(DemoOptions(out=str(tmp_path / "demo")))
    again = demo(DemoOptions(out=str(tmp_path / "demo")))
    assert short_runs == ["scratch", "ss", "mfd"]
    assert again == first


def test_a_folder_with_another_run_is_refused(short_runs, tmp_path):
    folder = tmp_path / "demo"
    train(demo_module.TrainOptions(method="ss", steps=2, out=str(folder / "scratch-seed0")), quiet=True)
    with pytest.raises(RunFolderError, match="holds another run"):
        demo(DemoOptions(out=str(folder)))


def row(method, accuracy, deo_a):
    values = {"accuracy": (accuracy,), "deo_a": (deo_a,), "deo_m": (2 * deo_a,)}
    return Row(method, {}, (0,), values, steps=400, samples=48_000, collapsed=(), paths=("run",))


@pytest.mark.parametrize(
    ("accuracy", "deo_a", "verdict"),
    [
        (0.9, 0.1, "it is fairer and no less accurate"),
        (0.8, 0.1, "it is fairer, at a price in accuracy"),
        (0.9, 0.3, "this time it is not fairer"),
    ],
)
def test_the_words_follow_the_numbers(accuracy, deo_a, verdict):
    words = in_words(row("scratch", 0.85, 0.25), row("ss", 0.9, 0.12), row("mfd", accuracy, deo_a))
    assert "reads 85% of the digits" in words
    assert "by 25 percentage points on average" in words
    assert "by 50 for the worst" in words
    assert verdict in words
    assert len(words.splitlines()) == 2
