"""
When only some groups are known
===============================

Group labels are expensive. Images without one are used by every loss that needs none, and the missing groups can be
guessed, for training only.
"""

# %%
# Hide the groups of 95% of the training images, and train with balanced batches: once with the few that are known,
# once with guesses for the others.

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

import fairdistill

folder = Path(tempfile.mkdtemp())
common = {"data": "digits-s", "method": "ss", "steps": 150, "threads": 1, "quiet": True}
known = fairdistill.train(**common, known_groups=0.05, out=str(folder / "known"))
guessed = fairdistill.train(**common, known_groups=0.05, pseudo_groups=True, out=str(folder / "guessed"))
everything = fairdistill.train(**common, out=str(folder / "everything"))

# %%
result = fairdistill.compare([known.path, guessed.path, everything.path])
print(result)
result.plot()
plt.show()

# %%
# The notes of a run say how many groups were guessed, and how often the guesser was right on the validation images.

print(*guessed.result["notes"], sep="\n")
