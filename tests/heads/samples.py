"""Features of simulated people for the tests of heads."""

from __future__ import annotations

import torch

from fairdistill.heads import Head, HeadData
from fairdistill.heads.problem import Problem
from fairdistill.heads.standardized import Standardized


def people(rows: int = 300, *, classes: int = 3, groups: int = 2, size: int = 6, seed: int = 0) -> HeadData:
    """Most samples of a class are of one group; features hold the class and the group, each with noise."""
    draw = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (rows,), generator=draw)
    usual = torch.rand(rows, generator=draw) < 0.8
    group = torch.where(usual, labels % groups, torch.randint(groups, (rows,), generator=draw))
    features = torch.randn(rows, size, generator=draw)
    features[:, 0] += 3 * group
    features += 0.8 * torch.randn(classes, size, generator=torch.Generator().manual_seed(9))[labels]
    return HeadData(3 + 2 * features, labels, group, torch.arange(rows), classes, groups)


def deployed(data: HeadData, seed: int = 1) -> Head:
    draw = torch.Generator().manual_seed(seed)
    return Head(
        0.1 * torch.randn(data.num_classes, data.features.shape[1], generator=draw),
        0.1 * torch.randn(data.num_classes, generator=draw),
    )


def problem(data: HeadData, head: Head | None = None, seed: int = 0) -> Problem:
    features = Standardized.of([data.features])
    inward = features.inward(deployed(data) if head is None else head)
    return Problem(features, data.labels, data.groups, data.num_groups, inward, seed)
