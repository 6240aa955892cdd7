#!/usr/bin/env bash
# Runs `fix` on three data sets, each with a model that was first saved as plain weights in a .pt file, the way a user would bring it.
# Usage: FAIRDISTILL_DATA=DIR bash results/fix.sh FOLDER; DIR holds cifar-10-batches-py and fairface-mini
set -euo pipefail
out=$1

deployed() { # NAME OPTIONS...: trains a model and saves its weights
  name=$1
  shift
  [ -e "$out/$name-model/result.json" ] || fairdistill train "$@" --method scratch --out "$out/$name-model"
  python - "$out/$name-model/model.safetensors" "$out/$name.pt" <<'END'
import sys

import torch
from safetensors.torch import load_file

torch.save(load_file(sys.argv[1]), sys.argv[2])
END
}

deployed digits-s --data digits-s --threads 1
fairdistill fix "$out/digits-s.pt" --data digits-s --model digit_net --budget 2m --threads 1 --out "$out/digits-s"

faces=(--data "$FAIRDISTILL_DATA/fairface-mini/manifest.csv" --image path --label gender --group race --split-map val=test --size 64)
deployed fairface "${faces[@]}" --model resnet18 --epochs 20 --threads 1
fairdistill fix "$out/fairface.pt" "${faces[@]}" --model resnet18 --epochs 20 --budget 8m --threads 1 --out "$out/fairface"
fairdistill fix "$out/fairface.pt" "${faces[@]}" --model resnet18 --epochs 20 --budget 8m --threads 1 --anyway --out "$out/fairface-anyway"

deployed cifar10s --data cifar10s --epochs 20 --threads 1
fairdistill fix "$out/cifar10s.pt" --data cifar10s --model cifar_net --budget 12m --threads 1 --out "$out/cifar10s"
# Allow a loss of two points of accuracy; the students are already trained:
fairdistill fix "$out/cifar10s.pt" --data cifar10s --model cifar_net --budget 12m --threads 1 \
  --rule "deo_a subject to accuracy >= teacher - 0.02" --out "$out/cifar10s"
