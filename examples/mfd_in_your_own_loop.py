"""
MFD in your own training loop
=============================

The losses, samplers and metrics work in any PyTorch loop; nothing else of the package is needed.
"""

# %%
# Your networks, your data. The teacher is trained first, plainly.

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

import fairdistill
from fairdistill.losses import MFDLoss
from fairdistill.metrics import GroupFairness
from fairdistill.models import Tapped
from fairdistill.samplers import BalancedBatchSampler

torch.manual_seed(0)
torch.set_num_threads(1)


def tensors(name):
    split = fairdistill.data.load("digits-s", name)
    images = torch.stack([torch.as_tensor(split[row][0]) for row in range(len(split))]).float() / 255
    return images, torch.as_tensor(split.labels), torch.as_tensor(split.groups)


def network():
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip


train, test = tensors("train"), tensors("test")


def fairness(model):
    metric = GroupFairness(num_classes=10, num_groups=2)
    with torch.no_grad():
        metric.update(model(test[0]).argmax(dim=1), test[1], test[2])
    values = metric.compute()
    return f"accuracy {values.accuracy:.3f}, DEO_A {values.deo_a:.3f}, DEO_M {values.deo_m:.3f}"


# %%
teacher = network()
optimizer = torch.optim.Adam(teacher.parameters(), 2e-3)
for _ in range(12):
    for images, labels, _groups in DataLoader(TensorDataset(*train), batch_size=64, shuffle=True):
        optimizer.zero_grad()
        cross_entropy(teacher(images), labels).backward()
        optimizer.step()
print("teacher", fairness(teacher.eval()))

# %%
# The student: batches with as many images of every subgroup, and the MFD term on the 64 activations before the last
# layer. ``Tapped`` reads them by name, from any network; ``8`` is the ReLU.

student = network()
student.load_state_dict(teacher.state_dict())
tapped, target = Tapped(student, layer="8"), Tapped(teacher, layer="8")
mfd = MFDLoss(num_classes=10, num_groups=2)
sampler = BalancedBatchSampler(train[1], train[2], batch_size=120, seed=0)
optimizer = torch.optim.Adam(student.parameters(), 2e-3)
student.train()
for _ in range(8):
    for images, labels, groups in DataLoader(TensorDataset(*train), batch_sampler=sampler):
        with torch.no_grad():
            wanted = target(images)["feature"]
        output = tapped(images)
        loss = cross_entropy(output["logits"], labels) + 3 * mfd(output["feature"], wanted, labels, groups)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
print("student", fairness(student.eval()))
