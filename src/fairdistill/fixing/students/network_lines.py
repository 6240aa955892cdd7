"""The straight line in the space of all weights between the deployed network and a student that started from it."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from fairdistill.data import Pipeline
from fairdistill.fixing.search.candidates import SHARES, Candidate
from fairdistill.fixing.search.search import Search
from fairdistill.fixing.search.time_left import time_before_the_test
from fairdistill.fixing.work.work import Work
from fairdistill.models.files.safe_file import read_safe, safe_bytes
from fairdistill.predictions.trained.model import DeployedModel, load_model, predictions_of
from fairdistill.predictions.trained.repaired import copy_beside
from fairdistill.predictions.trained.source import ModelSource
from fairdistill.runs import write_bytes

_STATISTICS_IMAGES = 2_000
_BATCH = 250


def try_line(search: Search, student: Candidate) -> None:
    """Evaluate the networks between the deployed one and a student, as far as time allows; middle ones first.

    Their weights are w + share (v - w) for those of the deployed network, w, and of the student, v (Wortsman et al.,
    *Robust fine-tuning of zero-shot models*, CVPR 2022). Batch-norm statistics are those of some training images.
    Networks of another shape, input or order of outputs have no such line; nothing happens then.
    """
    work, deployed = search.work, search.work.deployed.model
    assert student.source is not None
    other = load_model(student.source, work.samples.validation, work.runtime)
    if not _comparable(deployed, other):
        return
    seconds = (len(work.samples.validation) + _STATISTICS_IMAGES) * search.image_seconds
    for share in sorted(SHARES, key=lambda share: abs(share - 0.5)):
        if time_before_the_test(search) < seconds:
            return
        search.add(_between(search, student, other, share))
    search.announce()


def _between(search: Search, student: Candidate, other: DeployedModel, share: float) -> Candidate:
    work, deployed = search.work, search.work.deployed
    network = interpolated(deployed.model.network, other.network, share)
    renew_statistics(network, work)
    where = f"{share:.0%} of the way to {student.name}"
    validation = predictions_of(
        replace(deployed.model, network=network), work.samples.validation, where=where, runtime=work.runtime
    )
    found = Candidate(
        name=f"part of the way to {student.name}", family="line",
        description=f"a network {share:.0%} of the way from yours to {student.name}", validation=validation,
        settings={**(student.settings or {}), "student": student.name, "share": share}, seconds=student.seconds,
    )  # fmt: skip
    if not search.better(found, search.best):
        return found
    assert student.file is not None
    target = work.out / "lines" / f"{student.name}-{round(100 * share)}" / "model.safetensors"
    return replace(found, source=_written(network, student.file, target))


def interpolated(network: nn.Module, other: nn.Module, share: float) -> nn.Module:
    """Return a copy of a network whose weights lie at a share of the way to another one of the same shape."""
    between = copy.deepcopy(network)
    ends = other.state_dict()
    state = {
        name: torch.lerp(value.float(), ends[name].to(value.device).float(), share).to(value.dtype)
        if value.is_floating_point()
        else value
        for name, value in network.state_dict().items()
    }
    between.load_state_dict(state)
    return between


def renew_statistics(network: nn.Module, work: Work) -> None:
    """Compute the batch-norm statistics of a network anew, on training images without augmentation."""
    norms = [module for module in network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    norms = [module for module in norms if module.track_running_stats]
    if not norms:
        return
    train = work.samples.train
    momenta = [module.momentum for module in norms]
    network.eval().to(work.runtime.device)
    for module in norms:
        module.reset_running_stats()
        module.momentum = None  # a plain mean over the batches
        module.train()
    pipeline = Pipeline(train, device=work.runtime.device, seed=0, recipe=work.deployed.model.recipe)
    rows = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))[:_STATISTICS_IMAGES]
    with torch.no_grad(), work.runtime.autocast():
        for part in rows.split(_BATCH):
            if len(part) > 1:
                network(pipeline.batch(part).images)
    for module, momentum in zip(norms, momenta, strict=True):
        module.momentum = momentum
        module.eval()


def _comparable(deployed: DeployedModel, other: DeployedModel) -> bool:
    one, two = _shapes(deployed.network.state_dict()), _shapes(other.network.state_dict())
    return one == two and deployed.recipe == other.recipe and deployed.outputs == other.outputs


def _shapes(state: dict[str, Tensor]) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in state.items()}


def _written(network: nn.Module, like: Path, target: Path) -> ModelSource:
    """Write the weights of a network in a file with the metadata of another one."""
    _, metadata = read_safe(like)
    target.parent.mkdir(parents=True, exist_ok=True)
    copy_beside(like, target.parent)
    write_bytes(target, safe_bytes(network.state_dict(), metadata))
    return ModelSource(path=str(target), option="student")
