"""How a model's images are prepared: by the user's options, the model's own files, and the data, in this order."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fairdistill.data import Recipe, channels
from fairdistill.errors import TeacherError
from fairdistill.models.description.described import Described
from fairdistill.models.description.input_rule import InputRule, rule_of
from fairdistill.predictions.trained.opening import OpenedModel
from fairdistill.predictions.trained.source import ModelSource
from fairdistill.text.lists import joined


@dataclass(frozen=True)
class ModelInput:
    """How a model's images are prepared.

    Attributes:
        recipe: the data's augmentation at the model's own size, mean, sd and rule.
        of_files: whether the rule is the one that the model's own files say, or the data's where they say nothing.
        notes: what was assumed about it, one sentence each.
        guessed: whether its size is the data's default, since neither the user nor the model's files say one.
    """

    recipe: Recipe
    of_files: bool
    notes: tuple[str, ...]
    guessed: bool


def model_input(source: ModelSource, opened: OpenedModel, data: Recipe) -> ModelInput:
    """Return how a model's images are prepared.

    Args:
        source: the model, and what the user says about it.
        opened: what its files say about it.
        data: how the data's own images are prepared.

    Raises:
        TeacherError: if the user gives another size than the only one that the model takes.
        UsageError: for an option that is not of its form.
    """
    fixed, described = opened.fixed_size, opened.described
    if fixed is not None and source.size not in (None, fixed):
        raise TeacherError(f"the {source.option} {source.path} takes {fixed} pixels; drop --{source.option}-size")
    mean, std = described.mean or data.mean, described.std or data.std
    if source.mean is not None:
        mean = channels(f"{source.option}_mean", source.mean)
    if source.std is not None:
        std = channels(f"{source.option}_std", source.std, positive=True)
    size = source.size or fixed or described.size or data.size
    base = replace(data.resized(size), mean=mean, std=std)
    of = described.size or fixed or (data.size if "size" in source.of_data else None)  # what the rule's sizes belong to
    said = (described.rule or InputRule()).scaled(of, size)
    own = _without_center(said) if _cut_at_random(source, data, said) else said
    beside = "center_crop" not in opened.metadata
    of_data = rule_of(data).scaled(data.size, size)
    given = InputRule(part=of_data.part, short=of_data.short) if "crop" in source.of_data and beside else InputRule()
    recipe = source.rule.completed_by(given).completed_by(own).applied(base)
    notes = [*_unused_notes(source, described, data), *_recipe_notes(source, described)]
    if own != said:
        notes.append(_not_centered(described, said))
    notes += _other_crop(source, described, of_data, said, beside=beside)
    return ModelInput(
        recipe, rule_of(recipe) == rule_of(own.applied(base)), tuple(notes), of is None and source.size is None
    )


def _cut_at_random(source: ModelSource, data: Recipe, said: InputRule) -> bool:
    """Return whether a teacher sees the random parts that its student sees, and not the centers it was made for."""
    return source.option == "teacher" and data.random_crop and said.part in ("center", "square")


def _without_center(rule: InputRule) -> InputRule:
    return replace(rule, part=None, short=None, floor=None)


def _recipe_notes(source: ModelSource, described: Described) -> list[str]:
    """Return a note on what the files beside the weights gave, and one on each thing in them that is not done."""
    if not described.files:
        return []
    used = [
        text
        for text, known, given in (
            ("network", described.network, source.network), ("size", described.size, source.size),
            ("resizing", described.rule, source.given_rule), ("mean", described.mean, source.mean),
            ("standard deviation", described.std, source.std),
        )
        if known is not None and given is None
    ]  # fmt: skip
    notes = [f"{' and '.join(described.files)} beside the weights gave the {joined(used)}"] if used else []
    notes += [
        f"According to {described.files[-1]}, in the model's own pipeline {text}; here the whole image was resized to "
        "a square" if "square" in text or "border" in text else
        f"According to {described.files[-1]}, in the model's own pipeline {text}; that was not done here"
        for text in described.differs or ()
    ]  # fmt: skip
    return notes


def _not_centered(described: Described, said: InputRule) -> str:
    return (
        f"According to {(described.files or ('its file',))[-1]}, the teacher was trained on the center of images "
        f"({said}); here it sees the random parts that its student sees"
    )


def _other_crop(
    source: ModelSource, described: Described, data: InputRule, said: InputRule, *, beside: bool
) -> list[str]:
    """Return a note if the crop that the user set for the data is not the one that the model's files tell of."""
    ours, own = (data.part, data.short), (said.part, said.short)
    if "crop" not in source.of_data or said.part is None or source.rule.part is not None or ours == own:
        return []
    if beside:
        return [f"{described.files[-1]} gives {said}, but --crop was used"]
    return [f"--crop was not used, since the model's file gives {said}; --{source.option}-input changes it"]


def _unused_notes(source: ModelSource, described: Described, data: Recipe) -> list[str]:
    """Return a note for each option of the data that a deployed model's own file overrides."""
    notes = []
    for name in source.of_data if source.option == "model" else ():
        if name == "crop":
            continue
        own, given = getattr(described, name), getattr(data, name)
        if getattr(source, name) is not None or own in (None, given):
            continue
        if name == "size":
            notes.append(
                f"Images were read at --size {given} and resized to the {own} pixels that the model was made for"
            )
        else:
            shown = ", ".join(f"{value:.4g}" for value in own)
            notes.append(f"--{name} was not used, since the model's file gives {shown}; --model-{name} changes it")
    return notes
