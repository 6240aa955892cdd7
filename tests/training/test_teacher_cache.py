from __future__ import annotations

from dataclasses import replace

import torch

from fairdistill.data import Pipeline
from fairdistill.data.recipe import Augmenting
from fairdistill.models import Teacher, digit_net, find_taps
from fairdistill.system.runtime import choose_runtime
from fairdistill.training.teacher_cache import LiveTeacher
from tests.conftest import TinyOptions, tiny_split

CPU = torch.device("cpu")


def test_a_live_teacher_with_its_own_preprocessing_sees_the_images_that_randaug_changed():
    network = digit_net(3).eval()
    teacher = Teacher(network, find_taps(network, torch.zeros(1, 3, 16, 16)), keep={"logits"})
    data = tiny_split("train", None, TinyOptions())
    randaug = Augmenting(policy="randaug")
    batch = Pipeline(data, device=CPU, seed=0, augmenting=randaug).train_batch(torch.arange(20), step=0)
    live, own = (
        LiveTeacher(teacher, choose_runtime("cpu", "float32"), frozenset({"logits"}), pipeline=pipeline)
        for pipeline in (None, Pipeline(data, device=CPU, seed=0, recipe=data.recipe))
    )
    assert torch.equal(own(batch)["logits"], live(batch)["logits"])
    plain = replace(batch, draws=replace(batch.draws, operations=None))
    assert not torch.equal(own(plain)["logits"], live(batch)["logits"])
