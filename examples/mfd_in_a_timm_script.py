"""
MFD in a timm script
====================

The loop of timm's own training script, with its optimizer, schedule and weight average, for a network of timm.
"""

import tempfile

import timm
import torch
from safetensors.torch import save_file
from timm.optim import create_optimizer_v2
from timm.scheduler import create_scheduler_v2
from timm.utils import AverageMeter, ModelEmaV3
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

import fairdistill
from fairdistill.losses import MFDLoss
from fairdistill.models import Tapped
from fairdistill.samplers import BalancedBatchSampler

torch.manual_seed(0)
torch.set_num_threads(1)
NETWORK = "test_resnet"
train = fairdistill.data.load("digits-s", "train")
images = (torch.stack([image for image, *_ in train]) / 255 - 0.5) / 0.25
dataset = TensorDataset(images, train.labels, train.groups)

# %%
# One function trains both. Where timm's script computes the loss of the logits, the student adds the MFD term.
# ``Tapped`` reads the features by the name of a module; ``features_only`` is not needed.


def trained(model, loader, epochs, teacher=None):
    optimizer = create_optimizer_v2(model, opt="adamw", lr=3e-3, weight_decay=0.02)
    scheduler, epochs = create_scheduler_v2(optimizer, sched="cosine", num_epochs=epochs, warmup_epochs=1)
    average = ModelEmaV3(model, decay=0.98, use_warmup=True)
    tapped = Tapped(model, layer="global_pool")
    target = None if teacher is None else Tapped(teacher.eval(), layer="global_pool")
    mfd, meter = MFDLoss(num_classes=10, num_groups=2), AverageMeter()
    for epoch in range(epochs):
        model.train()
        meter.reset()
        for images, labels, groups in loader:
            output = tapped(images)
            loss = cross_entropy(output["logits"], labels, label_smoothing=0.1)
            if target is not None:
                with torch.no_grad():
                    wanted = target(images)["feature"]
                loss = loss + 3 * mfd(output["feature"], wanted, labels, groups)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            average.update(model)
            meter.update(loss.item(), len(images))
        scheduler.step(epoch + 1)
    tapped.remove()
    print(f"loss of the last epoch: {meter.avg:.3f}")
    return average.module


teacher = trained(
    timm.create_model(NETWORK, num_classes=10), DataLoader(dataset, batch_size=64, shuffle=True), epochs=16
)
student = timm.create_model(NETWORK, num_classes=10)
student.load_state_dict(teacher.state_dict())
balanced = BalancedBatchSampler(train.labels, train.groups, batch_size=120, seed=0)
student = trained(student, DataLoader(dataset, batch_sampler=balanced), epochs=8, teacher=teacher)

# %%
# A weights file is audited with the name that timm gives its network.

for name, model in {"teacher": teacher, "student": student}.items():
    save_file(model.state_dict(), path := f"{tempfile.mkdtemp()}/{name}.safetensors")
    result = fairdistill.audit(path, model=f"timm:{NETWORK}", data="digits-s", threads=1)
    gap = result.deo_a
    print(f"{name}: accuracy {result.accuracy.value:.1%}, DEO_A {gap.value:.1%} [{gap.low:.1%}, {gap.high:.1%}]")
