#!/usr/bin/env bash
# Trains students whose teacher sees each training image as they do (same) or only flipped (plain), with random crops:
#   FAIRDISTILL_DATA=DIR bash results/teacher-images.sh FOLDER
# Needs the official CIFAR-10 files in DIR. Finished runs are kept, and a stopped one goes on, so you can run it again at any time.
set -euo pipefail
mkdir -p "$1"
cd "$1"

run() { # NAME OPTIONS
  if [ -e "$1/result.json" ]; then return; fi
  if [ -e "$1/config.yaml" ]; then
    fairdistill train --resume "$1"
  else
    fairdistill train --out "$1" --threads 1 "${@:2}"
  fi
}

for seed in 0 1 2 3 4 5 6 7; do
  run "digits-scratch-seed$seed" --data digits-s --seed "$seed"
  for images in same plain; do
    for method in mfd ss+hkd ss+at; do
      run "digits-$method-$images-seed$seed" --data digits-s --method "$method" --seed "$seed" \
        --teacher "digits-scratch-seed$seed" --crop-padding 2 --teacher-images "$images"
    done
  done
done
run cifar-scratch --data cifar10s --recipe fast --steps 1408
for seed in 0 1; do
  for images in same plain; do
    run "cifar-mfd-$images-seed$seed" --data cifar10s --method mfd --seed "$seed" --teacher cifar-scratch --recipe fast \
      --steps 1408 --teacher-images "$images" &
  done
  wait
done
