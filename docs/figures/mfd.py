"""What MFD does to the features of one class: drawn points, no measurement."""

import matplotlib.pyplot as plt
import numpy as np

generator = np.random.default_rng(4)
teacher = generator.normal((0, 0), (1.3, 0.8), (400, 2))
before = {
    "group A": generator.normal((-1.7, 0.5), 0.45, (50, 2)),
    "group B": generator.normal((1.6, -0.6), 0.45, (50, 2)),
}
after = {name: generator.normal((0, 0), (1.2, 0.7), (50, 2)) for name in before}
figure, both = plt.subplots(1, 2, figsize=(6, 2.9), sharex=True, sharey=True)
for axes, title, student in zip(both, ("without MFD", "with MFD"), (before, after), strict=True):
    axes.scatter(*teacher.T, s=5, color="#d5dbe1", label="teacher, all groups")
    for (name, points), colour, mark in zip(student.items(), ("#2f6f9f", "#c1554e"), "os", strict=True):
        axes.scatter(*points.T, s=14, color=colour, marker=mark, label=f"student, {name}")
    axes.set(title=title, xticks=[], yticks=[])
    axes.spines[["top", "right"]].set_visible(False)
handles, names = both[0].get_legend_handles_labels()
figure.legend(handles, names, loc="lower center", ncols=3, frameon=False, fontsize=9)
figure.tight_layout(rect=(0, 0.08, 1, 1))
