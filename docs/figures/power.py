"""How many images it takes to see a gap."""

import matplotlib.pyplot as plt

from fairdistill.metrics import rows_to_resolve

gaps = [0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3]
figure, axes = plt.subplots(figsize=(6, 3))
rows = [rows_to_resolve(gap, accuracy=0.8) for gap in gaps]
axes.plot([100 * gap for gap in gaps], rows, "o-", color="#2f6f9f")
for gap, needed in zip(gaps, rows, strict=True):
    axes.annotate(f"{needed:,}", (100 * gap, needed), (6, 4), textcoords="offset points", fontsize=8)
axes.set(yscale="log", xlim=(0, 33), xlabel="gap between two subgroups, points", ylabel="images of each subgroup")
axes.spines[["top", "right"]].set_visible(False)
figure.tight_layout()
