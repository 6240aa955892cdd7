"""How long one waits at the door: the help of every command, the audit of a table of 300 rows, a training of one step.

    python -m benchmarks.startup [--rounds 5] [--only train]

Each is a whole process. `ratio` is its time over that of `python -c "import pandas"` in the same round, for the
trainings of `import torch`: median [min, max] over the rounds. The second training has PyTorch's own optimizers.
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.timing import hardware
from fairdistill.cli.main import COMMANDS

_PYTORCHS = """
import sys
import torch
from fairdistill.system import eager
eager.Adam = torch.optim.Adam
from fairdistill.cli import main
sys.exit(main())
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="part of the names of the commands")
    given = parser.parse_args()
    rounds = given.rounds
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "predictions.csv"
        table.write_text(_predictions(300))
        ours = ["-m", "fairdistill"]
        commands = {f"{name} --help": [*ours, *name.split(), "--help"] for name in ("", *COMMANDS, "data inspect")}
        commands["audit of 300 rows"] = [*ours, "audit", str(table), "--out", str(Path(folder) / "audit.json")]
        train = ["train", "--data", "digits-s", "--steps", "1", "--threads", "1"]
        trainings = {"train, one step": [*ours, *train], "train, PyTorch's Adam": ["-c", _PYTORCHS, *train]}
        print(f"{hardware()}\n\n{'command':<22}  {'seconds':>7}  ratio to import pandas (train: torch)")
        for name, command in {**commands, **trainings}.items():
            if given.only not in name:
                continue
            seconds, ratios = [], []
            for turn in range(rounds):
                own = ["--out", str(Path(folder) / f"{name} {turn}")] if name in trainings else []
                peer = _seconds(["-c", f"import {'torch' if name in trainings else 'pandas'}"])
                seconds.append(_seconds([*command, *own]))
                ratios.append(seconds[-1] / peer)
            spread = f"{statistics.median(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}]"
            print(f"{name.strip():<22}  {statistics.median(seconds):7.2f}  {spread}", flush=True)
    return 0


def _seconds(arguments: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


def _predictions(rows: int) -> str:
    draw = random.Random(0)
    lines = ["label,group,pred"]
    for row in range(rows):
        label = draw.choice(("no", "yes"))
        wrong = draw.random() < (0.1, 0.25)[row % 2]
        lines.append(f"{label},{'ab'[row % 2]},{('yes' if label == 'no' else 'no') if wrong else label}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
