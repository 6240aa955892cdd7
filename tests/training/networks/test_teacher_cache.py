from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from fairdistill.data import Pipeline
from fairdistill.data.recipe import Augmenting
from fairdistill.models import Teacher, digit_net, find_taps, read_weights
from fairdistill.system.runtime import choose_runtime
from fairdistill.training import TrainOptions, train
from fairdistill.training.networks.teacher_cache import LiveTeacher
from tests.conftest import TinyOptions, tiny_split
from tests.training.faces import OPTIONS, draw_table

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


def test_a_live_teacher_of_plain_images_sees_them_flipped_but_not_shifted():
    network = digit_net(3).eval()
    teacher = Teacher(network, find_taps(network, torch.zeros(1, 3, 16, 16)), keep={"logits"})
    data = tiny_split("train", None, TinyOptions())
    pipeline = Pipeline(data, device=CPU, seed=0, augmenting=Augmenting(crop_padding=3))
    batch = pipeline.train_batch(torch.arange(20), step=0)
    assert 0 < batch.state.sum() < 20
    wanted = frozenset({"logits"})
    live = LiveTeacher(teacher, choose_runtime("cpu", "float32"), wanted, pipeline=pipeline, plain=True)
    flipped = pipeline.batch(batch.index, batch.state).images
    assert torch.equal(live(batch)["logits"], teacher(flipped)["logits"])
    assert not torch.equal(flipped, batch.images)


@pytest.mark.parametrize("changes", [{"crop_padding": 2, "cutout": 4}, {"augment": "randaug"}, {"crop": "random"}])
def test_the_outputs_of_a_teacher_of_plain_images_are_cached_however_the_images_change(tmp_path, capsys, changes):
    crop = {"crop": "random", "stored_size": 20} if "crop" in changes else {}
    changes = {name: value for name, value in changes.items() if name != "crop"}
    given = TrainOptions(
        data=str(draw_table(tmp_path / "data")),
        data_options={**OPTIONS, **crop, "image_cache": str(tmp_path / "images")},
        model="digit_net", steps=6, batch_size=16, device="cpu", precision="float32", threads=1,
    )  # fmt: skip
    teacher = str(train(replace(given, out=str(tmp_path / "teacher")), quiet=True).path)
    given = replace(given, method="mfd", teacher=teacher, cache_dir=str(tmp_path / "cache"), **changes)

    def trained(images: str, *, cached: bool) -> tuple[torch.Tensor, str]:
        out = str(tmp_path / f"{images}-{cached}")
        run = train(replace(given, teacher_images=images, teacher_cache=cached, out=out))
        weights = read_weights(run.path / "model.safetensors")[0].values()
        return torch.cat([each.flatten() for each in weights]), capsys.readouterr().err

    same, said = trained("same", cached=True)
    assert "so the teacher's outputs are computed in every step instead of cached; --teacher-images plain would" in said
    assert not (tmp_path / "cache").exists()
    plain, said = trained("plain", cached=True)
    assert "computing 88 once" in said
    assert "instead of cached" not in said
    live, said = trained("plain", cached=False)
    assert "instead of cached" not in said
    assert torch.allclose(plain, live, atol=1e-5)
    assert not torch.allclose(plain, same, atol=1e-5)
