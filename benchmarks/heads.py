"""Every way to fit a last layer, on every data set, fitted to training and to validation images.

    python -m benchmarks.heads FOLDER digits-s=RUN,RUN,... fairface=RUN,... --out results/head

Each run is a deployed model. Its features are computed once and kept in FOLDER, together with what was measured, so
that the same command continues where it was stopped. ``--out`` writes the tables (.md) and the values (.json).

Seconds are processor seconds on one thread, and include all cross-fitting. Test images are read for every head, which
is fine for a comparison, but not for choosing one.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.timing import hardware
from fairdistill.choosing import FIX_RULE, Measures, parse_rule
from fairdistill.data import GroupedDataset, Pipeline
from fairdistill.heads import HEAD_METHODS, Head, HeadData, HeadFit, ScoredFit, better_source, fit_heads, logits_toward
from fairdistill.heads.joint import corrected, joint_head, joint_probabilities
from fairdistill.heads.linearpost import fair_scores
from fairdistill.heads.standardized import Standardized
from fairdistill.metrics import Samples, group_counts
from fairdistill.metrics.leakage import leakage
from fairdistill.models import find_last_layer
from fairdistill.predictions.trained.features import features_of
from fairdistill.predictions.trained.model import ModelSource, load_model
from fairdistill.runs import RunFolder
from fairdistill.system.runtime import choose_runtime
from fairdistill.text.tables import markdown
from fairdistill.training import TrainOptions, load_data

METRICS = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "deo_a": "DEO_A",
    "deo_m": "DEO_M",
    "worst_subgroup": "Worst subgroup",
}
INTRODUCTION = """# Every last layer on every data set

The network stays as it is; only its last layer is fitted again, to cached features of the training images or of the
validation images. No head needs the group of a person when it is used. Test set, percent; `±` is the standard deviation
over the deployed models (ddof 1). Seconds are processor seconds on one thread, without the pass over the images; those
of a fit to validation images include five more fits to the other folds.

The number after a method is its setting: the strength of `fair` and `feature-mfd`, the power of the prior in `blind`,
the tolerance of `linearpost`, gamma of `afr`. *Chosen* is what the default rule of `fix` selects on the validation
images: among the heads fitted to those images that give the more accurate heads on average, or among these and nine
points on the line between the deployed head and each of them. *Not folded* is what `blind` and `linearpost` decide
before a linear head is fitted to it.
"""
SHARES = [k / 10 for k in range(1, 10)]


@dataclass(frozen=True, eq=False)
class Model:
    """A deployed model, as a head on cached features.

    Attributes:
        head: its last layer.
        train: features of its training images.
        validation: those of its validation images.
        test: those of the test images.
        names: of the classes and the groups.
    """

    head: Head
    train: HeadData
    validation: HeadData
    test: HeadData
    names: tuple[Sequence[str], Sequence[str]]

    @classmethod
    def of(cls, run: str, folder: Path) -> Model:
        """Load a run and its images, and compute the features that are not in the folder yet."""
        splits = load_data(TrainOptions.from_mapping(RunFolder.open(run).config), None)
        runtime = choose_runtime("auto", "auto")
        model = load_model(ModelSource(path=run), splits.train, runtime)
        some = Pipeline(splits.validation, device=runtime.device, seed=0, recipe=model.recipe).batch(torch.arange(16))
        layer = find_last_layer(model.network, some.images)

        def read(data: GroupedDataset) -> HeadData:
            features = features_of(model, layer, data, folder=folder / "features", runtime=runtime, progress=print)
            number = {name: place for place, name in enumerate(dict.fromkeys(data.source_ids))}
            sources = torch.tensor([number[name] for name in data.source_ids])
            return HeadData(features, data.labels, data.groups, sources, data.num_classes, data.num_groups)

        head = Head(layer.weight, layer.bias, layer.has_bias)
        names = (splits.test.class_names, splits.test.group_names)
        return cls(head, read(splits.train), read(splits.validation), read(splits.test), names)

    def measures(self, scores: Tensor, data: HeadData) -> Measures:
        """Return all metrics of the decisions for the class with the largest score."""
        predicted = scores.argmax(1)
        counts = group_counts(
            data.labels.numpy(), predicted.numpy(), data.groups.numpy(),
            num_classes=data.num_classes, num_groups=data.num_groups,
        )  # fmt: skip
        right = float((predicted == data.labels).double().mean())
        return Measures(counts, accuracy=right, class_names=self.names[0], group_names=self.names[1])

    def fits(self) -> Iterator[tuple[HeadFit, float]]:
        """Yield each head with its processor seconds."""
        fits = fit_heads(self.validation, self.head, train=self.train, skipped=print)
        while True:
            start = time.process_time()
            fit = next(fits, None)
            if fit is None:
                return
            yield fit, time.process_time() - start


def title(method: str, settings: Mapping[str, float]) -> str:
    """Return a name such as ``fair 0.3, penalty 0.1``."""
    shown = [f"{value:g}" if name != "penalty" else f"penalty {value:g}" for name, value in settings.items()]
    return " ".join([method, ", ".join(shown)]).strip()


def row(measures: Mapping[str, float], seconds: float = math.nan) -> dict[str, float]:
    """Return what is kept of a head's test results."""
    return {**{name: float(measures[name]) for name in METRICS}, "seconds": seconds}


def measured(model: Model) -> dict[str, Any]:
    """Return the test results of every head of one deployed model, by name and what it was fitted on."""
    deployed = model.head.logits(model.validation.features)
    own = model.measures(model.head.logits(model.test.features), model.test)
    found = {"deployed|": row(own)}
    heads: list[tuple[HeadFit, Measures]] = []
    for fit, seconds in model.fits():
        test = model.measures(fit.head.logits(model.test.features), model.test)
        found[f"{title(fit.method, fit.settings)}|{fit.fitted_on}"] = row(test, seconds)
        print(f"  {title(fit.method, fit.settings)} on {fit.fitted_on}: {seconds:.1f} s", flush=True)
        heads.append((fit, model.measures(fit.validation_logits, model.validation)))
    source = better_source(ScoredFit(fit, on_validation["balanced_accuracy"]) for fit, on_validation in heads)
    candidates: list[tuple[Measures, Head]] = [(model.measures(deployed, model.validation), model.head)]
    candidates += [(on_validation, fit.head) for fit, on_validation in heads if fit.fitted_on == source]
    lines = [
        (
            model.measures(logits_toward(deployed, fit.validation_logits, share), model.validation),
            model.head.toward(fit.head, share),
        )
        for fit, _ in heads
        for share in SHARES
        if fit.fitted_on == source
    ]
    for name, compared in (("chosen head", candidates), ("chosen head or line", candidates + lines)):
        chosen = parse_rule(FIX_RULE).pick({k: m for k, (m, _) in enumerate(compared)}, compared[0][0])
        logits = compared[chosen][1].logits(model.test.features)
        found[f"{name}|"] = row(model.measures(logits, model.test))
    found.update(unfolded(model))
    return {"rows": found, "auc": probe(model)}


def unfolded(model: Model) -> dict[str, dict[str, float]]:
    """Return the test results of the blind corrections before they are folded into a linear head."""
    found = {}
    for on, data in (("validation", model.validation), ("train", model.train)):
        features = Standardized.of([data.features])
        deployed = features.inward(model.head)
        fitted = joint_head(features, data.labels, data.groups, data.cells, deployed)
        inner = joint_probabilities(features.logits(fitted), data.cells)
        joint = joint_probabilities(features.outward(fitted).logits(model.test.features), data.cells)
        cells = data.cells.double()
        for settings in HEAD_METHODS["blind"].settings:
            scores = corrected(joint, cells / cells.sum(), settings["power"])
            found[f"{title('blind', settings)}, not folded|{on}"] = row(model.measures(scores, model.test))
        for settings in HEAD_METHODS["linearpost"].settings:
            scores = fair_scores(joint, inner, data.cells, tolerance=settings["tolerance"])
            found[f"{title('linearpost', settings)}, not folded|{on}"] = row(model.measures(scores, model.test))
    return found


def probe(model: Model) -> float:
    """Return the AUC with which a linear model reads the group from the validation features within the classes."""
    data = model.validation
    samples = Samples(
        labels=data.labels.numpy(), groups=data.groups.numpy(), sources=data.sources.numpy(),
        num_classes=data.num_classes, num_groups=data.num_groups,
    )  # fmt: skip
    return float(leakage(data.features.float().numpy(), samples).auc.value)


def spread(values: Sequence[float | None], *, points: bool) -> str:
    """Return mean ± sd in percent, or the mean in seconds; nothing for what was not measured."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    mean = statistics.fmean(known)
    if not points:
        return f"{mean:.1f}"
    return f"{100 * mean:.1f}" + (f" ± {100 * statistics.stdev(known):.1f}" if len(known) > 1 else "")


def table(results: Sequence[Mapping[str, Any]]) -> str:
    """Return the means over the deployed models of one data set as a Markdown table."""
    lines: list[tuple[str, ...]] = [("Last layer", "fitted on", *METRICS.values(), "Seconds")]
    for name in results[0]["rows"]:
        values = [result["rows"][name] for result in results if name in result["rows"]]
        method, on = name.split("|")
        cells = [spread([value[metric] for value in values], points=True) for metric in METRICS]
        lines.append((method, on, *cells, spread([value["seconds"] for value in values], points=False)))
    return markdown(lines)


def main() -> None:
    """Measure and write the tables."""
    parser = argparse.ArgumentParser(description="Every way to fit a last layer.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("sets", nargs="+", metavar="NAME=RUN[,RUN...]")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="without extension")
    given = parser.parse_args()
    torch.set_num_threads(1)
    written, texts = {}, []
    for name, runs in (text.split("=", 1) for text in given.sets):
        results = []
        for run in runs.split(","):
            kept = given.folder / f"{name}-{Path(run).name}.json"
            if not kept.exists():
                print(f"{name}: {run}", flush=True)
                values = measured(Model.of(run, given.folder))
                kept.write_text(json.dumps(values))
            results.append(json.loads(kept.read_text(), parse_constant=lambda _: None))
        written[name] = results
        auc = spread([100 * result["auc"] for result in results], points=False)
        texts.append(
            f"## {name}\n\nDeployed models: {len(results)}. Within the classes, a linear probe reads the group from "
            f"the validation features with an AUC of {auc} (50: not at all).\n\n{table(results)}\n"
        )
    given.out.with_suffix(".json").write_text(json.dumps({"hardware": hardware(), "sets": written}, indent=1) + "\n")
    given.out.with_suffix(".md").write_text("\n".join([INTRODUCTION, *texts, hardware() + "\n"]))


if __name__ == "__main__":
    main()
