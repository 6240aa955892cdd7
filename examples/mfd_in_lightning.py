"""
MFD in Lightning
================

A ``LightningModule`` with the MFD term, batches that hold every subgroup, and an audit of Lightning's checkpoint.
"""

import logging
import tempfile
import warnings

import lightning
import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

import fairdistill
from fairdistill.losses import MFDLoss
from fairdistill.models import Tapped, digit_net
from fairdistill.samplers import BalancedBatchSampler

torch.set_num_threads(1)
lightning.seed_everything(0, verbose=False)
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.filterwarnings("ignore", module="lightning")  # about the number of workers
train = fairdistill.data.load("digits-s", "train")
images = (torch.stack([image for image, *_ in train]) / 255 - 0.5) / 0.25
dataset = TensorDataset(images, train.labels, train.groups)

# %%
# Without a teacher the module trains plainly; with one, it starts from the teacher's weights and adds MFD on the
# activations before the last layer. ``Tapped`` reads them by the name of a module.


class Classifier(lightning.LightningModule):
    def __init__(self, teacher=None):
        super().__init__()
        self.network = digit_net()
        self.taps = Tapped(self.network, layer="hidden_relu")
        self.target = None if teacher is None else Tapped(teacher.eval(), layer="hidden_relu")
        self.mfd = MFDLoss(num_classes=10, num_groups=2)
        if teacher is not None:
            self.network.load_state_dict(teacher.state_dict())

    def training_step(self, batch, _):
        images, labels, groups = batch
        output = self.taps(images)
        loss = cross_entropy(output["logits"], labels)
        if self.target is None:
            return loss
        with torch.no_grad():
            self.target.network.to(images.device)  # the teacher is not a part of this module
            wanted = self.target(images)["feature"]
        return loss + 3 * self.mfd(output["feature"], wanted, labels, groups)

    def configure_optimizers(self):
        return torch.optim.Adam(self.network.parameters(), 2e-3)


# %%
# ``use_distributed_sampler=False`` keeps Lightning from replacing the sampler of the balanced batches.


def fitted(module, loader, epochs, name):
    trainer = lightning.Trainer(max_epochs=epochs, accelerator="cpu", barebones=True, use_distributed_sampler=False)
    trainer.fit(module, loader)
    trainer.save_checkpoint(f"{folder}/{name}.ckpt")
    return module.network


folder = tempfile.mkdtemp()
teacher = fitted(Classifier(), DataLoader(dataset, batch_size=64, shuffle=True), epochs=14, name="teacher")
balanced = BalancedBatchSampler(train.labels, train.groups, batch_size=120, seed=0)
fitted(Classifier(teacher), DataLoader(dataset, batch_sampler=balanced), epochs=8, name="student")

for name in ("teacher", "student"):
    result = fairdistill.audit(f"{folder}/{name}.ckpt", model="digit_net", data="digits-s", threads=1)
    gap = result.deo_a
    print(f"{name}: accuracy {result.accuracy.value:.1%}, DEO_A {gap.value:.1%} [{gap.low:.1%}, {gap.high:.1%}]")
