from __future__ import annotations

import dataclasses

import pytest
import torch

import fairdistill
from fairdistill import data
from fairdistill.data.augmentation.pipeline import Pipeline
from fairdistill.predictions.trained.evaluation import evaluate, logits_of
from fairdistill.training import loop, train
from fairdistill.training.progress import evaluation
from tests.training.test_loop import same_weights

CPU = torch.device("cpu")


def watch(monkeypatch):
    """Record which data set is prepared or judged, and each step."""
    events, step = [], loop.train_step

    def watched_step(*args, **kwargs):
        events.append("step")
        return step(*args, **kwargs)

    class WatchedPipeline(Pipeline):
        def __init__(self, dataset, **kwargs):
            events.append(("prepare", dataset.name))
            super().__init__(dataset, **kwargs)

    def watched_evaluate(logits, dataset, kind="logits"):
        events.append(("judge", dataset.name))
        return evaluate(logits, dataset)

    monkeypatch.setattr(loop, "train_step", watched_step)
    monkeypatch.setattr(evaluation, "Pipeline", WatchedPipeline)
    monkeypatch.setattr(evaluation, "evaluate_outputs", watched_evaluate)
    return events


@pytest.mark.parametrize("method", ["scratch", "mfd"])
def test_honest_reads_the_test_set_only_after_the_last_step(quick, tiny_teacher, monkeypatch, method):
    events = watch(monkeypatch)
    run = train(quick(method=method, teacher=None if method == "scratch" else tiny_teacher), quiet=True)
    of_test = [at for at, event in enumerate(events) if "tiny/test" in event]
    last_step = len(events) - 1 - events[::-1].index("step")
    judged = 1 if method == "scratch" else 2  # the student, and its teacher
    assert events.count("step") == 12
    assert events.count(("judge", "tiny/val")) == 4 + 1  # once more with the best weights, for its predictions
    assert min(of_test) > last_step
    assert events.count(("judge", "tiny/test")) == judged
    assert events.count(("prepare", "tiny/test")) == 1
    assert [row["step"] for row in run.read_log()] == [3, 6, 9, 12]


@pytest.mark.parametrize(("method", "steps"), [("fitnet", [3, 6, 9]), ("mfd", [4, 8])])
def test_paper_looks_at_the_test_set_says_so_and_keeps_the_last_epoch(quick, tiny_teacher, monkeypatch, method, steps):
    events = watch(monkeypatch)
    # 72 rows: 3 shuffled batches of 22 with the rest dropped; 12 rows a cell, 3 a batch of 18: 4 balanced ones
    options = dataclasses.replace(quick(method=method, teacher=tiny_teacher, protocol="paper"), steps=None, epochs=2)
    run = train(options, quiet=True)
    log = run.read_log()
    assert [row["step"] for row in log] == steps
    assert [row["stage"] for row in log] == ["warmup"] * (len(steps) - 2) + ["main"] * 2
    assert {row["evaluation"]["split"] for row in log} == {"test"}
    assert ("judge", "tiny/val") not in events
    assert run.result["checkpoint_step"] == steps[-1]
    assert {key: run.result[key] for key in log[-1]["evaluation"] if key != "split"} == {
        key: value for key, value in log[-1]["evaluation"].items() if key != "split"
    }


def test_honest_keeps_the_model_with_the_least_mean_loss_of_a_cell(quick, judged_as, tmp_path):
    def run(name, steps, losses):
        with judged_as(cell_loss=losses, loss=losses[::-1]):
            options = quick(steps=steps, schedule="constant", out=str(tmp_path / name))
            return train(options, quiet=True)

    best_of_four = run("four", 12, [3.0, 1.0, 2.0, 1.5])
    assert best_of_four.result["checkpoint_step"] == 6
    assert same_weights(best_of_four, run("two", 6, [3.0, 1.0]))
    assert not same_weights(best_of_four, run("all", 12, [4.0, 3.0, 2.0, 1.0]))


def test_the_kept_model_is_the_one_that_was_judged_best(quick):
    run = train(quick(lr=0.03, steps=30), quiet=True)
    _, validation = data.splits.cut_validation(data.load("tiny", "train"), split_seed=0)
    pipeline = Pipeline(validation, device=CPU, seed=0)
    judged = evaluate(logits_of(fairdistill.load(run.path), pipeline, torch.no_grad), validation)
    best = min(run.read_log(), key=lambda row: row["evaluation"]["cell_loss"])
    assert judged.cell_loss == pytest.approx(best["evaluation"]["cell_loss"], rel=1e-3)
    assert run.result["checkpoint_step"] == best["step"]


@pytest.mark.parametrize(
    ("protocol", "followed", "ignored"), [("honest", "cell_loss", "loss"), ("paper", "loss", "cell_loss")]
)
def test_the_rate_follows_the_cells_in_honest_and_the_rows_in_paper(quick, judged_as, protocol, followed, ignored):
    evaluations, falling = 13, [1.0 - 0.05 * i for i in range(13)]
    with judged_as(**{followed: [1.0] * evaluations, ignored: falling}):
        run = train(quick(protocol=protocol, batch_size=66, steps=evaluations), quiet=True)
    # ten evaluations without improvement after the first, and the eleventh
    assert [row["lr"] for row in run.read_log()] == pytest.approx([0.003] * 12 + [0.0003])
