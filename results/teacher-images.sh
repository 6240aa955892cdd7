#!/usr/bin/env bash
# digits-s with images that are shifted at random: the teacher sees them as the student does (same), or only flipped (plain).
# Usage: bash results/teacher-images.sh FOLDER "0 1 2 3 4 5 6 7"
set -euo pipefail
out=$1
train() { # NAME OPTIONS
  if [ ! -e "$out/$1/result.json" ]; then fairdistill train --threads 1 --out "$out/$1" "${@:2}"; fi
}
for seed in $2; do
  train "scratch-seed$seed" --seed "$seed"
  for images in same plain; do
    for method in mfd ss+hkd ss+at; do
      train "$method-$images-seed$seed" --method "$method" --teacher "$out/scratch-seed$seed" --seed "$seed" --crop-padding 2 \
        --teacher-images "$images"
    done
  done
done
