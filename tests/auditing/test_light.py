"""Auditing a table loads neither the trainer's packages nor those of other measures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import json, sys
import fairdistill
result = fairdistill.audit(sys.argv[1], group="race", max_deo_a=0.5)
heavy = ("torch", "torchvision", "sklearn", "scipy.stats", "scipy.optimize", "matplotlib", "optuna", "jsonargparse")
print(json.dumps([result.rows, result.text().splitlines()[0], [name for name in heavy if name in sys.modules]]))
"""


def test_a_table_is_audited_without_torch(tmp_path: Path) -> None:
    rows = [f"{'ab'[at % 2]},{'xy'[at // 2 % 2]},{'ab'[at % 2 if at % 5 else 0]}" for at in range(300)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["label,race,pred", *rows]) + "\n")
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(path)], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [300, f"{path}: 300 samples, 2 classes, 2 groups", []]
