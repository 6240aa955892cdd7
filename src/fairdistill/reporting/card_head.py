"""The head of a model card: YAML that the Hugging Face Hub and other catalogues read."""

from __future__ import annotations

import math
from collections.abc import Mapping

import yaml

_TITLES = {"accuracy": "Accuracy", "deo_a": "DEO_A", "deo_m": "DEO_M", "worst_subgroup": "Worst subgroup accuracy"}


def card_head(models: Mapping[str, Mapping[str, float]], *, data: str) -> str:
    """Return the head of a model card, with the lines around it.

    Args:
        models: for each model, its metrics ``accuracy``, ``deo_a``, ``deo_m`` and ``worst_subgroup``, fractions;
            undefined ones are left out.
        data: the data set of the test images.

    Example:
        >>> print(card_head({"m.pt": {"accuracy": 0.9}}, data="faces.csv"))
        ---
        library_name: pytorch
        pipeline_tag: image-classification
        tags:
        - image-classification
        - fairness
        model-index:
        - name: m.pt
          results:
          - task:
              type: image-classification
            dataset:
              name: faces.csv
              type: image-classification
            metrics:
            - type: accuracy
              name: Accuracy
              value: 0.9
        ---
    """
    index = [
        {
            "name": name,
            "results": [
                {
                    "task": {"type": "image-classification"},
                    "dataset": {"name": data, "type": "image-classification"},
                    "metrics": [
                        {"type": key, "name": _TITLES[key], "value": round(value, 4)}
                        for key, value in values.items()
                        if not math.isnan(value)
                    ],
                }
            ],
        }
        for name, values in models.items()
    ]
    content = {
        "library_name": "pytorch",
        "pipeline_tag": "image-classification",
        "tags": ["image-classification", "fairness"],
        "model-index": index,
    }
    return f"---\n{yaml.safe_dump(content, sort_keys=False, allow_unicode=True)}---"
