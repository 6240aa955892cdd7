"""Train a small transformers ResNet on a table of photographs, as somebody without fairdistill would; save its folder.

    python results/in_and_out_model.py TABLE FOLDER

The table has the columns path, gender and split. Three passes over the training rows, without augmentation.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from transformers import ResNetConfig, ResNetForImageClassification

table, out = map(Path, sys.argv[1:])
torch.manual_seed(0)
torch.set_num_threads(2)
with table.open(newline="") as file:
    rows = [row for row in csv.DictReader(file) if row["split"] == "train"]
names = ["Female", "Male"]
labels = torch.tensor([names.index(row["gender"]) for row in rows])
pixels = np.stack([np.asarray(Image.open(table.parent / row["path"]).convert("RGB")) for row in rows])
config = ResNetConfig(
    embedding_size=32, hidden_sizes=[32, 64, 128, 256], depths=[1, 1, 1, 1], layer_type="basic",
    id2label=dict(enumerate(names)), label2id={name: at for at, name in enumerate(names)},
)  # fmt: skip
model = ResNetForImageClassification(config).train()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
for epoch in range(3):
    right = 0
    for chosen in torch.randperm(len(rows)).split(128):
        images = torch.from_numpy(pixels[chosen.numpy()]).permute(0, 3, 1, 2)
        loss, logits = model(images / 127.5 - 1, labels=labels[chosen]).to_tuple()[:2]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        right += int((logits.argmax(1) == labels[chosen]).sum())
    print(f"epoch {epoch}: accuracy on its training images {right / len(rows):.3f}", flush=True)
model.save_pretrained(out)
half, size = [0.5] * 3, {"height": 64, "width": 64}
processor = {"do_resize": True, "size": size, "resample": 2, "do_rescale": True, "rescale_factor": 1 / 255}
processor |= {"image_processor_type": "ViTImageProcessor", "do_normalize": True, "image_mean": half, "image_std": half}
(out / "preprocessor_config.json").write_text(json.dumps(processor, indent=1) + "\n")
