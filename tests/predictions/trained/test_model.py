"""Models of every kind, run on drawn images: what their files and outputs mean, and what is said about it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from fairdistill import data
from fairdistill.auditing import AuditResult, audit
from fairdistill.cli.main import main
from fairdistill.errors import TeacherError, UsageError
from fairdistill.predictions.trained.model import (
    DeployedModel,
    ModelSource,
    given_for_data,
    load_model,
    open_run,
    predictions_of,
)
from fairdistill.system.runtime import choose_runtime
from tests.predictions import networks
from tests.training.faces import OPTIONS, draw_table

RUNTIME = choose_runtime("cpu", "float32")
MODULE = "tests.predictions.networks"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_table(tmp_path_factory.mktemp("data"), train=8, test=40)


@pytest.fixture(scope="module")
def options(table: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return {**OPTIONS, "image_cache": str(tmp_path_factory.mktemp("images"))}


@pytest.fixture(scope="module")
def test_set(table, options):
    return data.load(str(table), "test", **options)


def saved(path: Path, network: nn.Module, **beside: Any) -> str:
    """Save the weights of a network, with other things beside them."""
    weights = networks.drawn(network).state_dict()
    torch.save({"state_dict": weights, **beside} if beside else weights, path)
    return str(path)


@pytest.fixture
def model(tmp_path: Path, test_set):
    def load(name: str, **changes: Any) -> DeployedModel:
        network = getattr(networks, name)
        made = network() if name in ("sigmoid", "one_logit", "three") else network(2)
        path = saved(tmp_path / f"{name}.pt", made)
        return load_model(
            ModelSource(path=path, network=f"{MODULE}:{name}", option="model", **changes), test_set, RUNTIME
        )

    return load


@pytest.mark.parametrize("changes", [{"size": 16}, {"of_data": ("size",)}, {"nameable": False}, {}])
def test_a_size_that_nobody_named_is_said_to_be_guessed(model, changes):
    guessed = [note for note in model("plain", **changes).notes if "16 x 16 pixels were assumed" in note]
    assert len(guessed) == (not changes)


@pytest.fixture
def audited(table, options, tmp_path):
    def run(path: str, name: str, **changes: Any) -> AuditResult:
        given = {**options, "draws": 200, "device": "cpu", "precision": "float32", **changes}
        return audit(path, data=str(table), model=f"{MODULE}:{name}", **given)

    return run


@pytest.mark.parametrize(
    ("name", "like", "text"),
    [
        ("softmax", "plain", "they lie in [0, 1] and sum to 1, as after a softmax"),
        ("sigmoid", "one_logit", "its single output always lies in [0, 1], as after a sigmoid"),
    ],
)
def test_a_network_that_ends_in_probabilities_gives_those_of_its_logits(model, test_set, name, like, text):
    given, expected = (predictions_of(model(each), test_set, where="m", runtime=RUNTIME) for each in (name, like))
    np.testing.assert_allclose(given.probabilities, expected.probabilities, atol=1e-5)
    assert (given.probabilities.max(1) > 0.6).any()
    assert given.model.outputs == "probabilities"
    assert expected.model.outputs == "logits"
    assert text in given.notes[0]
    assert "input" in given.notes[-1]
    assert given.notes[1:] == expected.notes, "the size of the input was guessed"


def test_outputs_that_are_sigmoids_each_are_divided_by_their_sum(model, test_set):
    found = predictions_of(model("sigmoids"), test_set, where="m", runtime=RUNTIME)
    logits = predictions_of(model("sigmoids", outputs="logits"), test_set, where="m", runtime=RUNTIME)
    raw = np.log(logits.probabilities)  # up to a constant per row the sigmoids themselves
    assert "each is a sigmoid of its own" in found.notes[0]
    np.testing.assert_array_equal(found.predicted, raw.argmax(1))


def test_the_calibration_error_is_that_of_the_probabilities(audited, tmp_path):
    errors = {
        name: audited(saved(tmp_path / f"{name}.pt", getattr(networks, name)(2)), name).metrics.calibration_error
        for name in ("plain", "softmax")
    }
    assert errors["softmax"] == pytest.approx(errors["plain"], abs=1e-6)
    wrong = audited(str(tmp_path / "softmax.pt"), "softmax", model_outputs="logits")
    assert abs(wrong.metrics.calibration_error - errors["plain"]) > 0.01
    assert wrong.model.outputs == "logits"


def test_a_model_is_run_in_eval_mode_and_its_statistics_stay(model, test_set):
    found = model("plain")
    before = {name: value.clone() for name, value in found.network.state_dict().items()}
    predictions_of(found, test_set, where="m", runtime=RUNTIME)
    assert not any(module.training for module in found.network.modules())
    assert all(torch.equal(value, before[name]) for name, value in found.network.state_dict().items())


BAD = [
    ("grey", "cannot take images of shape (3, 16, 16): it takes 1 channel and 16 x 16 pixels; wrap it"),
    ("large", "it takes 3 channels and 32 x 32 pixels; set --model-size 32"),
    ("undefined", "gives outputs that are not finite"),
    ("of_tuple", "it returned a tuple of 2: Tensor, Tensor"),
    ("three", "has 3 outputs, but there should be 2"),
]


@pytest.mark.parametrize("command", ["audit", "fix"])
@pytest.mark.parametrize(("name", "text"), BAD)
def test_a_network_that_does_not_fit_is_one_line_and_exit_code_2(command, name, text, table, options, tmp_path, capsys):
    make = getattr(networks, name)
    path = saved(tmp_path / "m.pt", make() if name == "three" else make(2))
    flags = [f"--{key.replace('_', '-')}={value}" for key, value in options.items() if key != "flip"]
    arguments = [command, path, "--data", str(table), "--model", f"{MODULE}:{name}", "--device", "cpu", *flags]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert text in error
    assert sum("error: " in line for line in error.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_outputs_are_matched_by_the_names_in_the_file(audited, tmp_path):
    plain = audited(saved(tmp_path / "a.pt", networks.plain(2)), "plain")
    named = audited(saved(tmp_path / "b.pt", networks.plain(2), class_to_idx={"square": 0, "disc": 1}), "plain")
    assert named.class_names == plain.class_names == ("disc", "square")
    assert named.model.output_classes == ("square", "disc")
    assert named.accuracy.value == pytest.approx(1 - plain.accuracy.value)
    assert plain.accuracy.value not in (0.5, 0, 1)
    assert any("in the order square, disc; they were matched" in note for note in named.notes)
    ignored = "The order of --classes was not used for the outputs, since the model's file names them"
    assert ignored not in named.notes
    assert ignored in audited(str(tmp_path / "b.pt"), "plain", classes="disc,square").notes
    same = audited(saved(tmp_path / "c.pt", networks.plain(2)), "plain", classes="square,disc")
    assert same.accuracy.value == named.accuracy.value
    assert same.model.output_classes == ("square", "disc")


def test_one_output_of_the_first_class_is_turned_around(audited, tmp_path):
    plain = audited(saved(tmp_path / "a.pt", networks.sigmoid()), "sigmoid")
    named = audited(saved(tmp_path / "b.pt", networks.sigmoid(), classes=["square", "disc"]), "sigmoid")
    assert named.accuracy.value == pytest.approx(1 - plain.accuracy.value)


def test_names_of_other_classes_are_a_question_that_classes_answers(audited, tmp_path):
    path = saved(tmp_path / "a.pt", networks.plain(2), classes=["round", "angular"])
    with pytest.raises(TeacherError, match=r"trained on the classes round, angular; .*--classes .*'round'"):
        audited(path, "plain")
    found = audited(path, "plain", classes="disc,square")
    assert any("in the order of --classes; the file names them round, angular" in note for note in found.notes)


def test_an_order_that_imagefolder_would_not_use_is_said(tmp_path, options):
    rows = draw_table(tmp_path, train=8, test=8).read_text().replace(",disc,", ",2-9,").replace(",square,", ",10-19,")
    (tmp_path / "images.csv").write_text(rows)
    given = {"draws": 200, "device": "cpu", "model": f"{MODULE}:plain", "data": str(tmp_path / "images.csv"), **options}
    path = saved(tmp_path / "m.pt", networks.plain(2))
    found = audit(path, **given)
    (note,) = (note for note in found.notes if "does not name its classes" in note)
    assert "in the order 2-9, 10-19. torchvision's ImageFolder" in note
    assert note.endswith("add --classes 10-19,2-9")
    again = audit(path, **given, classes="10-19,2-9")
    assert again.model.output_classes == ("10-19", "2-9")
    assert not any("does not name" in note for note in again.notes)


def test_the_preprocessing_is_printed_and_stored(audited, tmp_path):
    path = saved(tmp_path / "a.pt", networks.large(2))
    found = audited(path, "large", model_size=32, model_mean="0.1,0.2,0.3", model_std="0.25")
    stored = found.to_dict()["model"]
    assert stored == {
        "network": f"{MODULE}:large", "weights_key": None, "size": 32, "crop": "none", "resized": 32,
        "rule": "whole,bilinear",
        "mean": [0.1, 0.2, 0.3], "std": [0.25] * 3, "outputs": "logits", "output_classes": ["disc", "square"],
    }  # fmt: skip
    assert "images resized to 32 x 32 pixels; mean 0.1, 0.2, 0.3; standard deviation 0.25, 0.25, 0.25." in found.text()
    assert "Model outputs: logits, in the order disc, square." in found.text()


def test_a_configuration_beside_the_weights_is_used_unless_the_user_says_otherwise(audited, options, tmp_path):
    path = saved(tmp_path / "pytorch_model.bin", networks.large(2))
    config = {"architectures": ["X"], "id2label": {"0": "Square", "1": "Disc"}}
    processor = {
        "size": {"shortest_edge": 36},
        "crop_size": 32,
        "do_center_crop": True,
        "image_mean": 0.5,
        "image_std": 0.5,
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(processor))
    with pytest.raises(UsageError, match=r"takes 3 channels and 32 x 32 pixels"):
        audited(path, "large")  # --size 16 of the data
    found = audited(path, "large", size=32)
    assert (found.model.size, found.model.mean, found.model.output_classes) == (32, (0.5,) * 3, ("square", "disc"))
    said = " ".join(found.notes)
    assert "config.json and preprocessor_config.json beside the weights gave the" in said
    assert "matched with the data's disc, square" in said
    found = audited(path, "large", size=32, model_mean="0.2", classes="disc,square")
    assert (found.model.mean, found.model.std) == ((0.2,) * 3, (0.5,) * 3)
    assert any("in the order of --classes; config.json names them Square, Disc" in note for note in found.notes)
    (tmp_path / "config.json").write_text(json.dumps({**config, "id2label": {str(i): f"c{i}" for i in range(9)}}))
    found = audited(path, "large", size=32)
    assert any(
        "9 class names in config.json were ignored, since the data has 2 classes" in note for note in found.notes
    )


@pytest.mark.parametrize(
    ("changes", "rule", "note"),
    [
        ({"size": 32}, "center:36,bicubic,floor", None),
        ({"size": 16}, "center:18,bicubic,floor", None),
        ({"size": 16, "model_size": 32}, "center:36,bicubic,floor", None),
        ({"size": 32, "crop": "center", "stored_size": 36}, "center:36,bicubic,floor", None),
        ({"size": 32, "crop": "center", "stored_size": 40}, "center:40,bicubic,floor", "gives center:36,bicubic,floor"),
        ({"size": 32, "crop": "none"}, "whole,bicubic,floor", "gives center:36,bicubic,floor, but --crop was used"),
        ({"size": 32, "model_input": "square:33,aliased"}, "square:33,bicubic,aliased,floor", None),
        ({"size": 32, "crop": "none", "model_input": "center"}, "center:36,bicubic,floor", None),
    ],
)  # fmt: skip
def test_the_configuration_says_how_images_become_the_input_unless_the_user_does(
    audited, tmp_path, changes, rule, note
):
    name = "plain" if changes.get("model_size", changes["size"]) == 16 else "large"
    path = saved(tmp_path / "pytorch_model.bin", getattr(networks, name)(2))
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["X"]}))
    processor = {"size": {"shortest_edge": 36}, "crop_size": 32, "do_center_crop": True, "resample": 3}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(processor))
    found = audited(path, name, **changes)
    assert found.model.rule == rule
    notes = [each for each in found.notes if "but --crop was used" in each]
    assert len(notes) == (0 if note is None else 1)
    assert note is None or note in notes[0]


def test_a_file_that_tells_of_its_crop_is_seen_like_that(audited, tmp_path):
    metadata = {"image_size": "16", "center_crop": "1.1250"}
    path = str(tmp_path / "a.safetensors")
    save_file(networks.drawn(networks.plain(2)).state_dict(), path, metadata=metadata)
    found = audited(path, "plain")
    same = audited(path, "plain", crop="center", stored_size=18)
    assert found.model.rule == same.model.rule == "center:18,bilinear"
    assert found.metrics == same.metrics
    other = audited(path, "plain", crop="none")
    assert "--crop was not used, since the model's file gives center:18; --model-input changes it" in other.notes
    assert audited(path, "plain", model_input="whole").model.rule == "whole,bilinear"
    with pytest.raises(UsageError, match=r"the center to be cut from at least 16 pixels, .* but got center:9"):
        audited(path, "plain", model_input="center:9")
    with pytest.raises(UsageError, match=r"--model-input middle: 'middle' is not known; expected"):
        audited(path, "plain", model_input="middle")


def test_options_of_the_data_that_the_model_overrides_are_named(audited, tmp_path):
    metadata = {"image_size": "16", "mean": "[0.1, 0.2, 0.3]", "std": "[0.5, 0.5, 0.5]"}
    path = tmp_path / "a.safetensors"
    save_file(networks.drawn(networks.plain(2)).state_dict(), path, metadata=metadata)
    found = audited(str(path), "plain", size=12, mean="0.4,0.4,0.4", std="0.5,0.5,0.5")
    assert (found.model.size, found.model.mean) == (16, (0.1, 0.2, 0.3))
    assert [note for note in found.notes if "--size" in note or "--mean" in note or "--std" in note] == [
        "Images were read at --size 12 and resized to the 16 pixels that the model was made for",
        "--mean was not used, since the model's file gives 0.1, 0.2, 0.3; --model-mean changes it",
    ]
    same = audited(str(path), "plain", size=16, mean="0.1,0.2,0.3")
    assert not [note for note in same.notes if "--size" in note or "--mean" in note]


def test_what_was_read_of_a_checkpoint_is_said(audited, tmp_path):
    path = saved(tmp_path / "a.pt", networks.plain(2), state_dict_ema=networks.plain(2).state_dict())
    found = audited(path, "plain")
    assert found.model.weights_key == "state_dict"
    assert any("also has weights under 'state_dict_ema', which --weights-key chooses" in note for note in found.notes)
    assert audited(path, "plain", weights_key="state_dict_ema").model.weights_key == "state_dict_ema"
    weights = {f"module.{name}": value for name, value in networks.drawn(networks.plain(2)).state_dict().items()}
    torch.save({**weights, "n_averaged": torch.tensor(2)}, path)
    said = audited(path, "plain").notes
    assert any("The prefix 'module.' was removed" in note for note in said)
    assert any(note.endswith("ignored in a.pt: n_averaged") for note in said)


def test_a_folder_of_weights_that_is_no_run_names_the_file_to_give(tmp_path):
    saved(tmp_path / "pytorch_model.bin", networks.plain(2))
    with pytest.raises(
        TeacherError,
        match=r"has no config.json that names its network; give the weights file in it, .*pytorch_model\.bin",
    ):
        open_run(ModelSource(path=str(tmp_path)))


def test_a_data_set_with_an_order_of_its_own_is_not_asked_for_classes(tmp_path, test_set):
    path = saved(tmp_path / "a.pt", networks.plain(2))
    for nameable, notes in ((True, 1), (False, 0)):
        source = ModelSource(path=path, network=f"{MODULE}:plain", nameable=nameable)
        other = replace(test_set, class_names=("male", "female"))
        assert len(load_model(source, other, RUNTIME).notes) == notes
    assert given_for_data("digits-s", {"skew": 0.5}) == {"classes": None, "nameable": False, "of_data": ()}


@pytest.mark.parametrize(("name", "like"), [("softmax", "plain"), ("sigmoid", "one_logit")])
def test_an_exported_program_that_ends_in_probabilities_is_read_as_its_network(tmp_path, test_set, model, name, like):
    network = networks.drawn(networks.softmax(2) if name == "softmax" else networks.sigmoid()).eval()
    program = torch.export.export(network, (torch.zeros(8, 3, 16, 16),))
    torch.export.save(program, tmp_path / "a.pt2")
    found = load_model(ModelSource(path=str(tmp_path / "a.pt2"), option="model"), test_set, RUNTIME)
    given, expected = (predictions_of(each, test_set, where="m", runtime=RUNTIME) for each in (found, model(like)))
    np.testing.assert_allclose(given.probabilities, expected.probabilities, atol=1e-5)
    assert given.model.outputs == "probabilities"
    assert given.model.network is None


def test_a_center_crop_is_part_of_the_preprocessing_that_is_printed(audited, tmp_path):
    found = audited(saved(tmp_path / "a.pt", networks.plain(2)), "plain", crop="center", stored_size=18)
    assert (found.model.crop, found.model.size, found.model.resized) == ("center", 16, 18)
    assert "short side resized to 18 pixels, the center cut out at 16 x 16 pixels; mean" in found.text()
