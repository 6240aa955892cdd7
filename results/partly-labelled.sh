#!/usr/bin/env bash
# digits-s with the group of 100, 50, 20 and 5% of the rows known: ss and mfd, with the rest left out and guessed.
# Usage: bash results/partly-labelled.sh FOLDER "0 1 2 3 4 5 6 7"
set -euo pipefail
out=$1
for seed in $2; do
  [ -e "$out/scratch-seed$seed/result.json" ] ||
    fairdistill train --seed "$seed" --threads 1 --out "$out/scratch-seed$seed"
  for method in ss mfd; do
    for known in 1 0.5 0.2 0.05; do
      for guess in no-pseudo-groups pseudo-groups; do
        run="$out/$method-$known-$guess-seed$seed"
        if [ "$known $guess" = "1 pseudo-groups" ] || [ -e "$run/result.json" ]; then continue; fi
        rm -rf "$run"
        fairdistill train --method "$method" --teacher "$out/scratch-seed$seed" --seed "$seed" --threads 1 \
          --known-groups "$known" "--$guess" --out "$run"
      done
    done
  done
done
