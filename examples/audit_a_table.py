"""
Audit a table of predictions
============================

Any software can make the predictions. Here it is scikit-learn: a logistic regression on handwritten digits, some of
which are printed on coloured paper. In the training images, small digits are mostly grey and large ones mostly
coloured.
"""

# %%
# First the model. ``digits-s`` comes with the package; its images are 16 x 16 pixels with three channels.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

import fairdistill

train = fairdistill.data.load("digits-s", "train")
test = fairdistill.data.load("digits-s", "test")


def pixels(split):
    return np.stack([np.asarray(split[row][0]) for row in range(len(split))]).reshape(len(split), -1) / 255


model = LogisticRegression(C=0.01, max_iter=1000).fit(pixels(train), train.labels)

# %%
# Then its predictions, one row per image: the true class, the group, and a probability for each class. ``source`` says
# which rows were made from one picture, since those are not independent.

table = pd.DataFrame(
    {"label": test.labels, "group": np.array(test.group_names)[test.groups], "source": test.source_ids}
)
table[[f"p_{name}" for name in test.class_names]] = model.predict_proba(pixels(test))
table.head(3).round(3)

# %%
# The audit needs nothing but this table, in memory or in a file.

result = fairdistill.audit(table, label="label", group="group", prob="p_", source="source", max_deo_a=0.05)
print(result)

# %%
# The same as a picture. The grey band shows how far apart the groups would be by chance alone.

result.plot()
plt.show()

# %%
# For a pipeline: every number is an attribute, and the exit code follows the limit.

print(f"DEO_A {result.deo_a.value:.3f}, 95% interval [{result.deo_a.low:.3f}, {result.deo_a.high:.3f}]")
print("exit code", result.exit_code)
