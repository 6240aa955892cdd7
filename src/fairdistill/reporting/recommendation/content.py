"""The content of a recommendation, as typed values; its page and its model card read only these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fairdistill.auditing import ModelChange, Sizing, WorstSubgroup
from fairdistill.contract import Result
from fairdistill.metrics import Change, Estimate, Gap
from fairdistill.predictions.model_reading import ModelReading

Outcome = Literal["use", "fair", "unproven", "undecided"]
"""``use``: another model, confirmed on the test set; ``fair``: the deployed model is fair enough; ``unproven``: it is
unfair, and nothing better was proven; ``undecided``: the data cannot tell yet."""

Family = Literal["deployed", "head", "line", "correction", "student"]
"""What a model is: the deployed one; that with another last layer; one on the straight line between it and another; a
correction of its outputs, which needs the group; or a network that was trained."""


@dataclass(frozen=True, kw_only=True)
class OnTest(Result):
    """One model on the test set; fractions.

    Attributes:
        accuracy: over all images, mixed as the test set is.
        balanced_accuracy: mean over all subgroups; None if it was not computed.
        worst_subgroup: the lowest accuracy of a subgroup, and which one that is.
        deo_a, deo_m: mean and largest gap over the classes.
        cells: accuracy of each subgroup, ``[G][C]``; NaN where the test set has no image.
    """

    accuracy: Estimate
    balanced_accuracy: Estimate | None
    worst_subgroup: WorstSubgroup
    deo_a: Gap
    deo_m: Gap
    cells: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, kw_only=True)
class CandidateResult(Result):
    """One candidate on the validation set; fractions, NaN where undefined.

    Attributes:
        name: short, for tables.
        family: what kind of model it is.
        description: what it is, for sentences.
        rank: its place by the rule, from 1; those that break the rule come last.
        needs_group: whether a person's group must be known when it is used.
        accuracy: over all images.
        balanced_accuracy: mean over all subgroups.
        deo_a, deo_m: mean and largest gap over the classes.
        worst_subgroup: the lowest accuracy of a subgroup.
        breaks_rule: each condition of the rule that it breaks, in words.
        on_front: whether no other model is both more accurate (every subgroup counted equally) and fairer.
        seconds: time that it took to fit or train.
        file: its weights; None if it has no file of its own.
    """

    name: str
    family: Family
    description: str
    rank: int
    needs_group: bool
    accuracy: float
    balanced_accuracy: float
    deo_a: float
    deo_m: float
    worst_subgroup: float
    breaks_rule: tuple[str, ...]
    on_front: bool
    seconds: float
    file: str | None


@dataclass(frozen=True, kw_only=True)
class FrontPoint(Result):
    """A model in the picture: a candidate, or a point between two; on the validation set, fractions.

    Attributes:
        label: for the pointer.
        family: its kind.
        balanced_accuracy: mean over all subgroups.
        deo_a: mean gap over the classes.
        on_front: whether no other point is both more accurate and fairer.
        chosen: whether the search picked it.
    """

    label: str
    family: Family
    balanced_accuracy: float
    deo_a: float
    on_front: bool = False
    chosen: bool = False


@dataclass(frozen=True, kw_only=True)
class Recommendation(Result):
    """Everything that the page and the model card of a recommendation show.

    Attributes:
        verdict: one of four.
        headline: the verdict in a short sentence, without a full stop.
        paragraphs: sentences, in which backquotes mark code; the first paragraph names who is treated worst.
        cautions: how sure the recommendation is, and what makes it less sure, a sentence each.
        more: what would settle it, a sentence each; empty unless something is open.
        deployed: path of the deployed model.
        file: the file to use, which may be the deployed model; None if there is none.
        command: a command to copy that audits ``file``; None if there is none.
        layer: the one layer in which ``file`` differs from the deployed model; None for any other file.
        needs_group: whether a person's group must be known when the model is used.
        group_at_use: whether a model that needs the group could be picked.
        use: how to decide with it, if that takes more than its outputs; a sentence.
        before: the deployed model on the test set.
        after: the candidate that the search picked; None if it picked none.
        change: the change from the one to the other; None if there is no other.
        worst_change: the change of the lowest accuracy of a subgroup; None if it was not tested.
        candidates: all of them, the deployed model first; ``name`` is what tables call it.
        chosen: name of the one that the search picked, whether or not the test set confirmed it.
        points: every model that was evaluated.
        rule: the rule that picked the candidate.
        costs: short facts: seconds searched, parameters unchanged.
        data: the data set and its options in words.
        class_names, group_names: in the order of every ``[G][C]``.
        rows: test images.
        sources: independent pictures or people among them.
        cells: test images of each subgroup, ``[G][C]``.
        sizing: the smallest gap that this test set can show.
        notes: what a reader should know about the data and the search, without full stops.
        confidence: of the intervals.
        made_with: versions and hardware.
        model: how the deployed model was read; the recommended one is read in the same way.
        intended_use: in the user's words, or None.
        settings: of the search and of the chosen candidate, as YAML.
    """

    verdict: Outcome
    headline: str
    paragraphs: tuple[str, ...]
    cautions: tuple[str, ...]
    more: tuple[str, ...]
    deployed: str
    file: str | None
    command: str | None
    layer: str | None
    needs_group: bool
    group_at_use: bool = False
    use: str | None
    before: OnTest
    after: OnTest | None
    change: ModelChange | None
    worst_change: Change | None = None
    candidates: tuple[CandidateResult, ...]
    chosen: str
    points: tuple[FrontPoint, ...]
    rule: str
    costs: tuple[str, ...]
    data: str
    class_names: tuple[str, ...]
    group_names: tuple[str, ...]
    rows: int
    sources: int
    cells: tuple[tuple[int, ...], ...]
    sizing: Sizing
    notes: tuple[str, ...]
    confidence: float
    made_with: tuple[str, ...]
    model: ModelReading | None = None
    intended_use: str | None = None
    settings: str

    @property
    def picked(self) -> CandidateResult | None:
        """The candidate that the search picked, unless that is the deployed model."""
        return next((each for each in self.candidates if each.name == self.chosen and each.family != "deployed"), None)
