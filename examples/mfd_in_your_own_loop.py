"""
MFD in your own training loop
=============================

The losses and samplers work in any PyTorch loop, with your networks and your data; the audit reads a table of
predictions, or the model.
"""

import pandas as pd
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

import fairdistill
from fairdistill.losses import MFDLoss
from fairdistill.models import Tapped
from fairdistill.samplers import BalancedBatchSampler

torch.manual_seed(0)
torch.set_num_threads(1)
train, test = (fairdistill.data.load("digits-s", name) for name in ("train", "test"))
images, test_images = (torch.stack([image for image, *_ in split]) / 255 for split in (train, test))
dataset = TensorDataset(images, train.labels, train.groups)


def network():
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip


# %%
# The loop. The student has the MFD term on the 64 activations before the last layer; ``Tapped`` reads them by name from
# any network, and ``8`` is the ReLU there.


def fit(model, loader, epochs, teacher=None):
    mfd = MFDLoss(num_classes=10, num_groups=2)
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)
    with Tapped(model, layer="8") as tapped:
        for _ in range(epochs):
            for images, labels, groups in loader:
                output = tapped(images)
                loss = cross_entropy(output["logits"], labels)
                if teacher is not None:
                    with torch.no_grad():
                        wanted = teacher(images)["feature"]
                    loss = loss + 3 * mfd(output["feature"], wanted, labels, groups)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()


teacher, student = network(), network()
fit(teacher, DataLoader(dataset, batch_size=64, shuffle=True), epochs=12)

# %%
# The student starts from the teacher's weights. Its batches hold as many images of every subgroup.

student.load_state_dict(teacher.state_dict())
balanced = BalancedBatchSampler(train.labels, train.groups, batch_size=120, seed=0)
fit(student, DataLoader(dataset, batch_sampler=balanced), epochs=8, teacher=Tapped(teacher, layer="8"))

# %%
# ``source`` says which images were made from one digit: the audit resamples those together.

for name, model in {"teacher": teacher, "student": student}.items():
    table = pd.DataFrame({"label": test.labels, "group": test.groups, "source": test.source_ids})
    with torch.no_grad():
        table[[f"p_{label}" for label in range(10)]] = model(test_images).softmax(dim=1)
    result = fairdistill.audit(table, label="label", group="group", prob="p_", source="source")
    gap = result.deo_a
    print(f"{name}: accuracy {result.accuracy.value:.1%}, DEO_A {gap.value:.1%} [{gap.low:.1%}, {gap.high:.1%}]")
