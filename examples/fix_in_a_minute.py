"""
Fix a model in a minute
=======================

``fix`` measures the gap, changes the last layer of your network, trains a few students if there is time, and
recommends one model, or says that nothing better was proven.
"""

# %%
# A biased model to start from.

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

import fairdistill

folder = Path(tempfile.mkdtemp())
deployed = fairdistill.train(
    data="digits-s", method="scratch", steps=150, threads=1, out=str(folder / "deployed"), quiet=True
)

# %%
# Half a minute is enough for the last layers and a short student. With real photographs, give it minutes.

result = fairdistill.fix(
    deployed.path / "model.safetensors", data="digits-s", budget="25s", threads=1, out=str(folder / "fix")
)
print(result)

# %%
# Everything it tried, on the validation set. The rule takes the fairest model that loses at most half a point of
# accuracy.

result.plot()
plt.show()

# %%
# Who gains and who loses, on the test set, which was read once.

if result.kept is not None:
    result.kept.plot()
    plt.show()
