"""Four intervals, a limit, and what they mean."""

import matplotlib.pyplot as plt

cases = [
    ("within the limit: exit code 0", 1.0, 2.4, 4.2, "#2f6f9f"),
    ("cannot tell: exit code 3", 2.1, 4.4, 8.0, "#8a8f94"),
    ("cannot tell: exit code 3", 3.6, 7.5, 10.1, "#8a8f94"),
    ("beyond the limit: exit code 1", 6.2, 9.8, 12.3, "#c1554e"),
]
figure, axes = plt.subplots(figsize=(6, 2.4))
for row, (name, low, value, high, color) in enumerate(reversed(cases)):
    axes.plot([low, high], [row, row], color=color, lw=3)
    axes.plot(value, row, "o", color=color)
    axes.text(13.2, row, name, va="center", color=color)
axes.axvline(5, color="black", lw=1, ls="--")
axes.text(5.1, 3.5, "limit: 5 points")
axes.set(xlim=(0, 20), ylim=(-0.6, 3.9), yticks=[], xlabel="DEO_A, points")
axes.spines[["top", "right", "left"]].set_visible(False)
figure.tight_layout()
