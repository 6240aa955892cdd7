#!/usr/bin/env bash
# CIFAR-10S in 1,408 steps (four epochs): learning rates and schedules for ss.
# Usage: FAIRDISTILL_DATA=DIR bash results/short-budget.sh FOLDER "0"
set -euo pipefail
out=$1
for seed in $2; do
  for schedule in "cosine 0.001" "onecycle 0.003"; do
    read -r name lr <<<"$schedule"
    run="$out/ss-$name-$lr-seed$seed"
    if [ -e "$run/result.json" ]; then continue; fi
    rm -rf "$run"
    fairdistill train --data cifar10s --method ss --steps 1408 --schedule "$name" --lr "$lr" --seed "$seed" --threads 1 \
      --out "$run"
  done
done
