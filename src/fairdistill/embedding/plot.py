"""The t-SNE plot of one network's features, and how much they reveal about the group."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairdistill.data import GroupedDataset
from fairdistill.embedding.images import Drawn
from fairdistill.embedding.result import EmbeddedNetwork
from fairdistill.embedding.tsne import kl_divergence, tsne
from fairdistill.metrics import Samples
from fairdistill.metrics.leakage import leakage
from fairdistill.text.progress import working


def plotted(features: NDArray[np.float32], drawn: Drawn, test: GroupedDataset) -> EmbeddedNetwork:
    """Return the t-SNE coordinates of the drawn images and the leakage over all test images.

    Args:
        features: of every test image, ``[N, D]``.
        drawn: the images in the plot, and the settings.
        test: the test set.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # comes with scikit-learn

    options = drawn.options
    shown = features[drawn.rows.numpy()]
    # The order of sums moves points by 1% of the plot's size: one thread gives the same plot on every machine. On two
    # busy cores it is also twice as fast as two (1,194 points: 5 to 9 s).
    with threadpool_limits(1), working("t-SNE and leakage"):
        coordinates = tsne(
            shown,
            dims=options.dims,
            perplexity=options.perplexity,
            early_exaggeration=options.early_exaggeration,
            iterations=options.iterations,
            metric=options.metric,
            seed=options.seed,
        )
        divergence = kl_divergence(shown, coordinates, perplexity=options.perplexity, metric=options.metric)
        samples = Samples(
            labels=test.labels.numpy(),
            groups=test.groups.numpy(),
            sources=test.sources,
            num_classes=test.num_classes,
            num_groups=test.num_groups,
        )
        found = leakage(features, samples, seed=options.seed)
    return EmbeddedNetwork(
        coordinates=tuple(tuple(float(f"{value:.4g}") for value in point) for point in coordinates.tolist()),
        kl_divergence=divergence,
        leakage=found,
    )
