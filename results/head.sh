#!/usr/bin/env bash
# Trains four deployed models on each of four data sets, and fits every kind of last layer to their features.
# Usage: FAIRDISTILL_DATA=DIR bash results/head.sh FOLDER; DIR holds cifar-10-batches-py and fairface-64
set -euo pipefail
out=$1
mkdir -p "$out"
faces=$FAIRDISTILL_DATA/fairface-64

python - "$faces/manifest.csv" "$out/ages.csv" <<'END'
import sys

import pandas as pd

table = pd.read_csv(sys.argv[1])
first = table["age"].str.extract(r"(\d+)")[0].astype(int)
table["age"] = pd.cut(first, [-1, 19, 39, 200], labels=["under 20", "20 to 39", "40 and over"])
table[["path", "age", "gender", "split"]].to_csv(sys.argv[2], index=False)
END

train() { # NAME OPTIONS...: four models that share their validation images
  name=$1
  shift
  for seed in 0 1 2 3; do
    [ -e "$out/$name-$seed/result.json" ] ||
      fairdistill train "$@" --method scratch --seed "$seed" --split-seed 0 --threads 1 --out "$out/$name-$seed"
  done
}

resnet=(--image path --model resnet18 --size 64 --schedule cosine --epochs 8)
train digits-s --data digits-s
train cifar10s --data cifar10s --epochs 8
train gender --data "$faces/manifest.csv" --label gender --group race "${resnet[@]}"
train age --data "$out/ages.csv" --data-root "$faces" --label age --group gender "${resnet[@]}"

sets=()
for name in digits-s cifar10s gender age; do
  sets+=("$name=$out/$name-0,$out/$name-1,$out/$name-2,$out/$name-3")
done
python -m benchmarks.heads "$out" "${sets[@]}" --out results/head
