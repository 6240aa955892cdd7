"""
Audit a model on its images
===========================

A trained network and the images themselves: the audit runs the model, on the test images only.
"""

# %%
# Train a small network, as a stand-in for the one you have deployed. This takes a few seconds.

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

import fairdistill

folder = Path(tempfile.mkdtemp())
run = fairdistill.train(
    data="digits-s", method="scratch", steps=150, threads=1, out=str(folder / "deployed"), quiet=True
)

# %%
# A weights file with the name of its network is audited on data that you name. A run folder already holds its
# predictions, so ``fairdistill.audit(run.path)`` would be enough here.

result = fairdistill.audit(run.path / "model.safetensors", data="digits-s", threads=1)
print(result)

# %%
result.plot()
plt.show()

# %%
# Which subgroups, that is, classes of a group, are worst? Small ones are better judged by the pooled estimate, which
# also uses what the class and the group show elsewhere.

for each in sorted(result.cells, key=lambda cell: cell.pooled.value)[:3]:
    interval = f"[{each.pooled.low:.0%}, {each.pooled.high:.0%}]"
    print(f"{each.class_name} in {each.group}: {each.pooled.value:.0%} {interval}, n = {each.rows}")
