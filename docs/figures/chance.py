"""What a fair model shows by chance, by the size of the test set."""

import matplotlib.pyplot as plt

from fairdistill.metrics import chance_deo

sizes = [25, 50, 100, 200, 400, 800, 1600]
figure, axes = plt.subplots(figsize=(6, 3))
for groups, color in ((2, "#2f6f9f"), (7, "#c1554e")):
    found = [chance_deo([[size] * 2] * groups, accuracy=0.8).deo_a for size in sizes]
    axes.plot(sizes, [100 * each.value for each in found], "o-", color=color, label=f"{groups} groups")
    axes.fill_between(
        sizes, [100 * each.low for each in found], [100 * each.high for each in found], color=color, alpha=0.2
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
