"""Shares of small subgroups, and their pooled estimates."""

import matplotlib.pyplot as plt
import numpy as np

from fairdistill.metrics.pooled import pooled_accuracy

rows = np.array([[400, 350], [380, 420], [390, 12]])
shares = np.array([[0.86, 0.82], [0.83, 0.80], [0.74, 5 / 12]])
pooled = pooled_accuracy(shares, rows)
names = [f"class {label}, group {group} (n = {rows[group, label]})" for group in range(3) for label in range(2)]
figure, axes = plt.subplots(figsize=(6.4, 2.9))
places = np.arange(6)[::-1]
axes.plot(100 * shares.ravel(), places, "D", color="#c1554e", label="share of its own images", ms=5)
axes.errorbar(
    100 * pooled.middle.ravel(),
    places - 0.18,
    xerr=100 * np.stack([(pooled.middle - pooled.low).ravel(), (pooled.high - pooled.middle).ravel()]),
    fmt="o",
    color="#2f6f9f",
    label="pooled estimate, 95% interval",
    ms=5,
)
axes.set(yticks=places, yticklabels=names, xlim=(0, 100), xlabel="accuracy, percent")
axes.legend(frameon=False, loc="upper left", fontsize=8)
axes.spines[["top", "right"]].set_visible(False)
figure.tight_layout()
