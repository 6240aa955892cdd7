"""What a fair model shows by chance, by the size of the test set."""

import matplotlib.pyplot as plt

from fairdistill.metrics import chance_deo

sizes = [25, 50, 100, 200, 400, 800, 1600]
figure, axes = plt.subplots(figsize=(6, 3))
for groups, color in ((2, "#2f6f9f"), (7, "#c1554e")):
    found = [chance_deo([[size] * groups] * 2, accuracy=0.8).deo_a for size in sizes]
    axes.plot(sizes, [100 * mean for mean, *_ in found], "o-", color=color, label=f"{groups} groups")
    axes.fill_between(
        sizes, [100 * low for _, low, _ in found], [100 * high for *_, high in found], color=color, alpha=0.2
    )
axes.set(
    xscale="log",
    xticks=sizes,
    xticklabels=sizes,
    ylim=0,
    xlabel="test images of each subgroup",
    ylabel="DEO_A by chance, points",
)
axes.minorticks_off()
axes.legend(frameon=False)
axes.spines[["top", "right"]].set_visible(False)
figure.tight_layout()
