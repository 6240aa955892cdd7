"""Small networks on tiny images, and data on which they are biased."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from fairdistill.data import GroupedDataset, Recipe
from fairdistill.fixing import FixOptions
from fairdistill.fixing.work.deployed import Deployed, deployed_source
from fairdistill.fixing.work.samples import Samples
from fairdistill.fixing.work.work import Work
from fairdistill.models.files.safe_file import DIGEST
from fairdistill.system.clock import Clock
from fairdistill.system.runtime import choose_runtime
from fairdistill.training import TrainOptions

SIZE = 4
NUMBERS = 3 * SIZE * SIZE


def without_digest(metadata: dict[str, str]) -> dict[str, str]:
    """Return the metadata of a file of weights, but for the digest of its content."""
    return {name: text for name, text in metadata.items() if name != DIGEST}


def images_of(name: str, rows: int, *, seed: int) -> GroupedDataset:
    """Two classes and two groups, each with a pixel of its own that is bright; both groups are equally frequent."""
    draw = torch.Generator().manual_seed(seed)
    cell = torch.arange(rows) % 4
    labels, groups = cell // 2, cell % 2
    images = torch.randint(0, 200, (rows, 3, SIZE, SIZE), generator=draw)
    images[:, 0, 0, 0] = 40 + 100 * labels + torch.randint(-40, 41, (rows,), generator=draw)
    images[:, 0, 0, 1] = 40 + 150 * groups
    return GroupedDataset(
        name=f"made/{name}", images=images.to(torch.uint8), labels=labels, groups=groups,
        ids=tuple(f"{name}{row}" for row in range(rows)), source_ids=tuple(f"{name}{row}" for row in range(rows)),
        class_names=("no", "yes"), group_names=("x", "y"),
        recipe=Recipe(size=SIZE, flip=False, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)),
    )  # fmt: skip


def two_logits(num_classes: int = 2) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Identity(), nn.Linear(NUMBERS, num_classes))


def one_logit() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(NUMBERS, 1))


def no_bias(num_classes: int = 2) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(NUMBERS, num_classes, bias=False))


def three_logits() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(NUMBERS, 3))


def wide(num_classes: int = 2) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(NUMBERS, 20_000), nn.Linear(20_000, num_classes))


def not_linear_last(num_classes: int = 2) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(NUMBERS, num_classes), nn.Softplus())


def biased_(network: nn.Module) -> nn.Module:
    """Set the weights so that the class is read from its pixel, with a push to the second class by the group's."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        first, last = network[1 if len(network) == 2 else -1], network[-1]
        layers = [each for each in network if isinstance(each, nn.Linear)]
        if len(layers) == 2:  # the wide one
            layers[0].weight[0, 0], layers[0].weight[1, 1] = 1.0, 1.0
            layers[0].bias[2] = 1.0
            layers[1].weight[1, :3] = torch.tensor([20.0, 6.0, -8.0])
            return network
        layer = last if isinstance(last, nn.Linear) else first
        layer = layer if isinstance(layer, nn.Linear) else layers[-1]
        layer.weight[-1, 0], layer.weight[-1, 1] = 20.0, 6.0
        if layer.bias is not None:
            layer.bias[-1] = -8.0
        else:
            layer.weight[-1, 1] = 0.0
            layer.weight[0, :] = 0.35
    return network


def work_of(factory: str, folder: Path, *, budget: str = "10m", **options: object) -> Work:
    """Return the working data of a fix of a biased network, whose file lies in the folder."""
    network = biased_(globals()[factory]())
    torch.save({"epoch": 3, "state_dict": network.state_dict()}, folder / "deployed.pt")
    given = FixOptions(
        data="digits-s", model=f"tests.fixing.networks:{factory}", budget=budget, out=str(folder / "out"), device="cpu",
        precision="float32", threads=1, **options,
    )  # fmt: skip
    samples = Samples(
        images_of("train", 240, seed=0), images_of("val", 240, seed=1), images_of("test", 240, seed=2), cut=False
    )
    runtime = choose_runtime("cpu", "float32")
    deployed = Deployed.read(deployed_source(str(folder / "deployed.pt"), given), samples, runtime)
    (folder / "out").mkdir()
    return Work(given, TrainOptions(), folder / "out", samples, deployed, runtime, Clock(given.seconds), ())
