#!/usr/bin/env bash
# A model of transformers comes in, and its fairer one goes out as ONNX: all with the wheel, in an empty folder.
# Usage: bash results/in-and-out.sh WHEEL CONSTRAINTS PHOTOS FOLDER; prints what each command printed, its seconds and exit code.
# PHOTOS holds fairface-64's manifest.csv; FOLDER is new. Behind a package index of your own, pip finds it as usual.
set -uo pipefail
wheel=$(realpath "$1") constraints=$(realpath "$2") photos=$(realpath "$3") here=$(realpath "$(dirname "$0")")
mkdir "$4" && cd "$4" || exit

step() { # COMMAND...: shows a command, what it prints, how long it takes and its exit code
  printf '\n```console\n$ %s\n' "$(sed "s|$photos|photos|g; s|$here|results|g; s|$wheel|$(basename "$wheel")|g; s|$constraints|constraints.txt|g" <<<"$*")"
  local start=$SECONDS code=0
  "$@" 2>/dev/null | sed "s|$photos|photos|g; s|$PWD/||g; s|$HOME|~|g; s| on Linux-.*| on Linux|" || code=$?
  printf '```\n\nExit code %d, %d s.\n' "$code" $((SECONDS - start))
}

faces=(--data "$photos/manifest.csv" --image path --label gender --group race --threads 2)
step python3 -m venv .venv
PATH=$PWD/.venv/bin:$PATH
step pip install --quiet -c "$constraints" "$wheel[hf,export]"
step python "$here/in_and_out_model.py" "$photos/manifest.csv" deployed
step fairdistill doctor
step fairdistill data inspect "${faces[@]:0:8}" --size 64
step fairdistill audit hf:deployed "${faces[@]}" --predictions-out deployed.csv
step fairdistill fix hf:deployed "${faces[@]}" --budget 5m --out fixed
step ls fixed fixed/heads
fairer=$(python -c 'import json; print(json.load(open("fixed/fix.json"))["model"])')
step fairdistill export "$fairer" "${faces[@]}" --out served
mkdir new-photos
find "$photos/test" -name '1*.jpg' | sort | head -500 | xargs cp -t new-photos
step fairdistill predict served/model.onnx --images new-photos --threads 2 --out new.csv
step head -3 new.csv
step fairdistill audit served/model.onnx "${faces[@]}" --against deployed.csv --max-harm 0.05 --max-deo-a 0.2 --markdown
step fairdistill audit served/model.onnx "${faces[@]}" --max-deo-a 0.02
step fairdistill audit served/model.onnx "${faces[@]}" --max-deo-a 0.15 --allow-undecided
