#!/usr/bin/env bash
# Runs `fix` on five models, each of which was first saved as plain weights in a .pt file, the way a user would bring it.
# Usage: FAIRDISTILL_DATA=DIR bash results/fix.sh FOLDER; DIR holds cifar-10-batches-py and fairface-64, FOLDER the models of head.sh
set -euo pipefail
out=$1
faces=$FAIRDISTILL_DATA/fairface-64
photos=(--image path --model resnet18 --size 64 --threads 1)

deployed() { # NAME RUN: the weights of a run as NAME.pt
  python - "$out/$2/model.safetensors" "$out/$1.pt" <<'END'
import sys

import torch
from safetensors.torch import load_file

torch.save(load_file(sys.argv[1]), sys.argv[2])
END
}

fix() { # NAME OPTIONS...: fixes NAME.pt in the folder fix-NAME
  name=$1
  shift
  fairdistill fix "$out/$name.pt" "$@" --out "$out/fix-$name"
}

deployed digits-s digits-s-0
fix digits-s --data digits-s --model digit_net --budget 20s --threads 1
deployed digits-rule digits-s-0
fix digits-rule --data digits-s --model digit_net --budget 20s --threads 1 --rule "balanced_accuracy subject to deo_a <= 0.07"

deployed cifar10s cifar10s-0
fix cifar10s --data cifar10s --model cifar_net --budget 15m --threads 1

[ -e "$out/cifar10s-50/result.json" ] ||
  fairdistill train --data cifar10s --method scratch --epochs 50 --threads 1 --out "$out/cifar10s-50"
deployed cifar10s-50 cifar10s-50
fix cifar10s-50 --data cifar10s --model cifar_net --budget 15m --threads 1

deployed gender gender-0
fix gender --data "$faces/manifest.csv" --label gender --group race "${photos[@]}" --budget 30m

deployed age age-0
fix age --data "$out/ages.csv" --data-root "$faces" --label age --group gender "${photos[@]}" --budget 30m
