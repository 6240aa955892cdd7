#!/usr/bin/env bash
# Trains the rows of the paper on one data set and prints the table, for instance:
#   bash results/reproduce.sh digits-s runs/digits-s "0 1 2 3"
#   FAIRDISTILL_DATA=DIR bash results/reproduce.sh cifar10s runs/cifar10s 0 "ss mfd" --epochs 8
# Arguments: data set, folder, seeds, methods in addition to the teacher, further options of `fairdistill train`.
# Finished runs are kept and stopped ones resumed, so you can run it again at any time.
set -euo pipefail
data=$1 out=$2 seeds=${3:-0 1 2 3}
methods=${4:-hkd fitnet at nst ss ad ss+hkd ss+fitnet ad+hkd ad+fitnet mfd}
shift $(($# < 4 ? $# : 4))

run() { # METHOD SEED [OPTIONS]
  local folder=$out/$1-seed$2
  if [ -e "$folder/result.json" ]; then return; fi
  if [ -e "$folder/config.yaml" ]; then
    fairdistill train --resume "$folder"
  else
    fairdistill train --data "$data" --method "$1" --seed "$2" --out "$folder" "${@:3}"
  fi
}

for seed in $seeds; do
  run scratch "$seed" "$@"
  for method in $methods; do
    run "$method" "$seed" --teacher "$out/scratch-seed$seed" "$@"
  done
done
fairdistill compare --format md "$out"/*-seed*
