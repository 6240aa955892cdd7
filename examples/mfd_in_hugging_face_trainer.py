"""
MFD in a Hugging Face Trainer
=============================

``Trainer`` trains a model of ``transformers``; two of its methods are overridden, for the loss and for the batches.
The folder that it saves is audited as it is.
"""

import tempfile

import torch
import transformers
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader

import fairdistill
from fairdistill.losses import MFDLoss
from fairdistill.models import Tapped
from fairdistill.samplers import BalancedBatchSampler

torch.set_num_threads(1)
transformers.set_seed(0)
transformers.utils.logging.disable_progress_bar()
train = fairdistill.data.load("digits-s", "train")
images = (torch.stack([image for image, *_ in train]) / 255 - 0.5) / 0.25
rows = zip(images, train.labels, train.groups, strict=True)
dataset = [{"pixel_values": image, "labels": label, "groups": group} for image, label, group in rows]

# %%
# The two methods. ``Tapped`` reads the features by the name of a module: here those that the last layer gets.


class FairTrainer(transformers.Trainer):
    def __init__(self, *, model, teacher, **others):
        super().__init__(model=model, **others)
        self.taps = Tapped(model, layer="classifier.0")
        self.target = Tapped(teacher.eval().to(self.args.device), layer="classifier.0")
        self.mfd = MFDLoss(num_classes=10, num_groups=2)

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        labels, output = inputs["labels"], self.taps(inputs["pixel_values"])
        with torch.no_grad():
            wanted = self.target(inputs["pixel_values"])["feature"]
        loss = cross_entropy(output["logits"], labels)
        loss = loss + 3 * self.mfd(output["feature"], wanted, labels, inputs["groups"])
        return (loss, output) if return_outputs else loss

    def get_train_dataloader(self):
        balanced = BalancedBatchSampler(train.labels, train.groups, batch_size=120, seed=0)
        return DataLoader(self.train_dataset, batch_sampler=balanced, collate_fn=self.data_collator)


# %%
# The teacher is trained by the plain ``Trainer``, and the student starts from its weights.


def fitted(trainer, model, epochs, **others):
    settings = transformers.TrainingArguments(
        output_dir=tempfile.mkdtemp(), num_train_epochs=epochs, per_device_train_batch_size=64, learning_rate=2e-3,
        remove_unused_columns=trainer is not FairTrainer,  # the groups are for its loss
        report_to="none", save_strategy="no", logging_strategy="no", disable_tqdm=True, use_cpu=True,
    )  # fmt: skip
    made = trainer(model=model, args=settings, train_dataset=dataset, **others)
    made.remove_callback(transformers.PrinterCallback)
    made.train()
    made.save_model()
    processor = transformers.ViTImageProcessor(size=16, image_mean=[0.5] * 3, image_std=[0.25] * 3)
    processor.save_pretrained(settings.output_dir)
    return settings.output_dir


kind = transformers.ResNetForImageClassification
sizes = {"embedding_size": 16, "hidden_sizes": [16, 32, 64], "depths": [1, 1, 1], "layer_type": "basic"}
teacher = fitted(transformers.Trainer, kind(transformers.ResNetConfig(**sizes, num_labels=10)), epochs=12)
student = fitted(FairTrainer, kind.from_pretrained(teacher), epochs=8, teacher=kind.from_pretrained(teacher))
for name, folder in {"teacher": teacher, "student": student}.items():
    result = fairdistill.audit(folder, data="digits-s", threads=1)
    gap = result.deo_a
    print(f"{name}: accuracy {result.accuracy.value:.1%}, DEO_A {gap.value:.1%} [{gap.low:.1%}, {gap.high:.1%}]")
