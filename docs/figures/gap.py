"""DEO of one class: the best group minus the worst."""

import matplotlib.pyplot as plt

groups, right = ["Black", "East Asian", "Indian", "White"], [71, 79, 84, 88]
figure, axes = plt.subplots(figsize=(6, 2.6))
bars = axes.barh(groups, right, color=["#c1554e", "#9aa7b3", "#9aa7b3", "#2f6f9f"])
axes.bar_label(bars, fmt="%d", padding=3)
axes.annotate("", (71, -0.62), (88, -0.62), arrowprops={"arrowstyle": "<->"})
axes.text(79.5, -0.95, "DEO = 17 points", ha="center", va="center")
axes.set(xlim=(0, 100), ylim=(-1.2, 3.6), xlabel="of 100 images of the class, the model gets right")
axes.spines[["top", "right"]].set_visible(False)
figure.tight_layout()
