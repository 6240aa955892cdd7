"""
Compare models
==============

Two questions: which *method* is better, over several seeds; and what changes from one *model* to another, on the same
images.
"""

# %%
# Two methods, two seeds each. Short runs, so expect no more than a tendency.

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

import fairdistill

folder = Path(tempfile.mkdtemp())
runs = [
    fairdistill.train(
        data="digits-s",
        method=method,
        steps=150,
        seed=seed,
        threads=1,
        out=str(folder / f"{method}-{seed}"),
        quiet=True,
    ).path
    for method in ("scratch", "ss")
    for seed in (0, 1)
]
result = fairdistill.compare(runs)
print(result)

# %%
result.plot()
plt.show()

# %%
# One model against another on the same test images: a paired test, which sees smaller changes than two separate
# intervals would.

audit = fairdistill.audit(runs[2], against=runs[0])
change = audit.against
print(f"DEO_A {100 * change.deo_a.value:+.1f} points [{100 * change.deo_a.low:+.1f}, {100 * change.deo_a.high:+.1f}]")
change.plot()
plt.show()
