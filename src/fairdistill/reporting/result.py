"""The content of a report, as typed values; the page and the model card read only these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fairdistill.auditing import ModelChange, Sizing, WorstGroup, WorstSubgroup
from fairdistill.contract import Result
from fairdistill.metrics import Estimate, Gap
from fairdistill.reporting.figures import Figures


@dataclass(frozen=True, kw_only=True)
class GroupScores(Result):
    """One group: its samples, the accuracy on them, and means over the seeds of scores of its probabilities.

    Attributes:
        group: its name.
        rows: its samples.
        accuracy: on them.
        auc: area under the ROC curve, the mean over the classes, each against the rest.
        brier: Brier score.
        impact_ratio: the smallest over the classes of how often it is predicted in this group, by how often in the
            group where it is predicted most.
    """

    group: str
    rows: int
    accuracy: Estimate
    auc: float
    brier: float
    impact_ratio: float


@dataclass(frozen=True, kw_only=True)
class ReportRow(Result):
    """One method: the runs that differ only in their seeds. Numbers are means over the seeds; fractions.

    Attributes:
        label: the method, and what sets it apart from other rows of the same method.
        runs: run folders, one per seed.
        seeds: their seeds.
        steps: optimizer steps of each run.
        samples: images seen in each run.
        accuracy: over the whole test set.
        worst_group: accuracy of the worst group.
        worst_cell: accuracy of the worst subgroup.
        deo_a: mean over the classes of the gap between groups.
        deo_m: largest gap over the classes.
        change: the change from the teacher; None without a teacher.
        groups: accuracy and scores of each group.
        cells: accuracy of each subgroup, ``[G][C]``; NaN where the test set has no sample.
        collapsed: seeds whose model predicts a single class.
        draws: resampled test sets behind the intervals.
    """

    label: str
    runs: tuple[str, ...]
    seeds: tuple[int, ...]
    steps: int
    samples: int
    accuracy: Estimate
    worst_group: WorstGroup
    worst_cell: WorstSubgroup
    deo_a: Gap
    deo_m: Gap
    change: ModelChange | None
    groups: tuple[GroupScores, ...]
    cells: tuple[tuple[float, ...], ...]
    collapsed: tuple[int, ...]
    draws: int


@dataclass(frozen=True, kw_only=True)
class TestSet(Result):
    """The images that all runs were tested on.

    Attributes:
        rows: images.
        sources: independent pictures or people among them.
        class_names, group_names: in the order of ``cells``.
        cells: images of each subgroup, ``[G][C]``.
        unknown_groups: images without a group label, by split.
        skipped_images: images left out because they could not be decoded.
        notes: what a reader should know about the data.
    """

    rows: int
    sources: int
    class_names: tuple[str, ...]
    group_names: tuple[str, ...]
    cells: tuple[tuple[int, ...], ...]
    unknown_groups: Mapping[str, int]
    skipped_images: int
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Probe(Result):
    """How well a linear probe reads the group from features, within each class; fractions.

    Attributes:
        majority: accuracy of always naming the largest group of a class.
        probe: accuracy of the probe.
        balanced: balanced accuracy; None if the embedding was made by an older version.
        auc: area under the ROC curve; None in the same case.
    """

    majority: float
    probe: float
    balanced: float | None
    auc: float | None


@dataclass(frozen=True, kw_only=True)
class Leakage(Result):
    """What the features of a method reveal about the group.

    Attributes:
        label: the method.
        tap: name of the feature.
        rows: images the probe was measured on.
        student: the student's features.
        teacher: the teacher's; None if they were not embedded.
    """

    label: str
    tap: str
    rows: int
    student: Probe
    teacher: Probe | None


@dataclass(frozen=True, kw_only=True)
class Configuration(Result):
    """A run folder and its configuration as YAML."""

    run: str
    yaml: str


@dataclass(frozen=True, kw_only=True)
class ReportContent(Result):
    """Everything that the page and the model card show.

    Attributes:
        title: of the page.
        data: the data set and its options in words.
        protocol: of the runs.
        made_with: versions and hardware of the runs.
        confidence, draws, seed: of the intervals.
        rows: one per method.
        test_set: what the runs were tested on.
        sizing: the smallest gap that this test set can show.
        leakage: one entry per method with an embedding.
        without_picture: methods whose t-SNE did not fit on the page.
        configurations: one per run.
        intended_use: in the user's words, or None.
        figures: the data behind the figures.
    """

    title: str
    data: str
    protocol: str
    made_with: tuple[str, ...]
    confidence: float
    draws: int
    seed: int
    rows: tuple[ReportRow, ...]
    test_set: TestSet
    sizing: Sizing
    leakage: tuple[Leakage, ...]
    without_picture: tuple[str, ...]
    configurations: tuple[Configuration, ...]
    intended_use: str | None
    figures: Figures

    @property
    def many_seeds(self) -> bool:
        """Whether any row holds more than one run."""
        return any(len(row.seeds) > 1 for row in self.rows)


@dataclass(frozen=True, kw_only=True)
class ReportResult(Result):
    """What was written, and what it says.

    Attributes:
        page: the HTML file.
        card: the Markdown file of the model card, None if none was wanted.
        content: everything they show.
    """

    page: str
    card: str | None
    content: ReportContent
