from __future__ import annotations

import shutil
from dataclasses import replace

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from fairdistill.fixing.search.candidates import Candidate
from fairdistill.fixing.students.network_lines import interpolated, renew_statistics, try_line
from fairdistill.predictions.trained.model import load_model, predictions_of
from fairdistill.predictions.trained.source import ModelSource
from tests.fixing.networks import biased_, two_logits


def student_of(work, network):
    path = work.out / "student.safetensors"
    metadata = {
        "network": "tests.fixing.networks:two_logits",
        "image_size": "4",
        "mean": "[0, 0, 0]",
        "std": "[1, 1, 1]",
    }
    save_file(network.state_dict(), path, metadata=metadata)
    source = ModelSource(path=str(path), option="student")
    model = load_model(source, work.samples.validation, work.runtime)
    validation = predictions_of(model, work.samples.validation, where="", runtime=work.runtime)
    return Candidate(name="ss", family="student", description="it", validation=validation, source=source)


def test_the_middle_of_two_networks_is_a_candidate_with_a_file(search):
    other = biased_(two_logits())
    with torch.no_grad():
        other[-1].weight[-1, 1] = -6.0  # the bias of the other sign: in the middle there is none
    student = student_of(search.work, other)
    search.add(student)
    try_line(search, student)
    assert search.best.family == "line"
    assert search.best.settings["student"] == "ss"
    assert 0.3 < search.best.settings["share"] < 0.7
    assert len([point for point in search.points if point.family == "line"]) == 9
    model = load_model(search.best.source, search.work.samples.validation, search.work.runtime)
    again = predictions_of(model, search.work.samples.validation, where="", runtime=search.work.runtime)
    assert (again.predicted == search.best.validation.predicted).all()
    with safe_open(search.best.file, framework="pt") as file:
        assert file.metadata()["network"] == "tests.fixing.networks:two_logits"


def test_without_time_there_is_no_line(search, monkeypatch):
    student = student_of(search.work, biased_(two_logits()))
    search.image_seconds = 100.0
    try_line(search, student)
    assert len(search.points) == 1


def test_networks_that_are_read_differently_have_no_line(search):
    student = student_of(search.work, biased_(two_logits()))
    shutil.copy(student.file, search.work.out / "other.safetensors")
    source = replace(student.source, path=str(search.work.out / "other.safetensors"), mean="0.5,0.5,0.5")
    try_line(search, replace(student, source=source))
    assert len(search.points) == 1


def test_interpolated_weights_lie_between_and_counts_stay():
    one, other = (nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)) for _ in range(2))
    one[1].num_batches_tracked.fill_(3)
    between = interpolated(one, other, 0.25)
    torch.testing.assert_close(between[0].weight, 0.75 * one[0].weight + 0.25 * other[0].weight)
    assert between[1].num_batches_tracked == 3
    assert one[0].weight is not between[0].weight


def test_batch_norm_statistics_are_those_of_training_images(search):
    network = nn.Sequential(nn.BatchNorm2d(3), nn.Dropout(0.5))
    momentum = network[0].momentum
    renew_statistics(network, search.work)
    images = search.work.samples.train.images.float() / 255
    torch.testing.assert_close(network[0].running_mean, images.mean((0, 2, 3)), rtol=1e-3, atol=1e-3)
    assert network[0].momentum == momentum
    assert not network.training
