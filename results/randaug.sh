#!/usr/bin/env bash
# Students of a model that knows its training photographs by heart, with the standard images and with RandAugment.
# Usage: FAIRDISTILL_DATA=DIR bash results/randaug.sh FOLDER; DIR holds fairface-64, FOLDER the model gender-0 of head.sh
set -euo pipefail
out=$1
faces=(--data "$FAIRDISTILL_DATA/fairface-64/manifest.csv" --image path --label gender --group race --size 64 --model resnet18)

train() { # NAME OPTIONS...: a student that starts from the weights of the deployed model
  name=$1
  shift
  [ -e "$out/$name/result.json" ] || fairdistill train "${faces[@]}" --teacher "$out/gender-0" --init teacher \
    --schedule cosine --ema 0.98 --keep last --threads 1 --out "$out/$name" "$@"
}

train ss-704 --method ss --steps 704
train ss --method ss --steps 1408
train mfd --method mfd --steps 1408
train dro-slowly --method dro --steps 1408 --lr 3e-4
train ss-704-randaug --method ss --steps 704 --augment randaug
for seed in 0 1 2; do train "ss-randaug-$seed" --method ss --steps 1408 --augment randaug --seed "$seed"; done
for method in mfd dro gapreg mfd-self di scratch; do
  train "$method-randaug" --method "$method" --steps 1408 --augment randaug
done
train ss-new-randaug --method ss --steps 2816 --augment randaug --init scratch
