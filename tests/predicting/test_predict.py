"""``predict``: models on folders and tables of images, and what its table is worth to ``audit``."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import fairdistill
from fairdistill.auditing import audit
from fairdistill.cli.main import main
from fairdistill.errors import DataError, TeacherError, UsageError
from fairdistill.predicting import PredictResult, predict
from tests.predictions import networks
from tests.training.faces import OPTIONS, draw_table

MODULE = "tests.predictions.networks"
METADATA = {
    "network": f"{MODULE}:plain", "class_names": '["disc", "square"]', "image_size": "16", "mean": "[0.5, 0.4, 0.3]",
    "std": "[0.2, 0.2, 0.2]",
}  # fmt: skip


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_table(tmp_path_factory.mktemp("data"), train=8, test=140)


@pytest.fixture
def weights(tmp_path: Path):
    def save(**metadata: str | None) -> Path:
        given = {name: text for name, text in {**METADATA, **metadata}.items() if text is not None}
        path = tmp_path / "model.safetensors"
        save_file(networks.drawn(networks.plain(2)).state_dict(), path, given)
        return path

    return save


def predicted(path: Path, images: Path, **options: Any) -> PredictResult:
    given = {"device": "cpu", "precision": "float32", "model": f"{MODULE}:plain", "workers": 2, **options}
    return predict(path, images=str(images), **given)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_folder_of_images_without_labels_is_predicted_in_the_order_of_its_names(weights, table, tmp_path):
    out = tmp_path / "said.csv"
    result = predicted(weights(), table.parent / "test", out=str(out))
    assert result.rows == 140
    assert result.ids.tolist() == [f"{number:03d}.png" for number in range(140)]
    network = fairdistill.load(tmp_path / "model.safetensors", model=f"{MODULE}:plain")
    own = network.predict([table.parent / "test" / name for name in result.ids])
    np.testing.assert_allclose(result.probabilities, own.probabilities, atol=1e-6)
    written = rows_of(out)
    assert list(written[0]) == ["id", "pred", "p_disc", "p_square"]
    assert [row["pred"] for row in written] == list(own.names)
    assert [float(row["p_disc"]) for row in written] == pytest.approx(result.probabilities[:, 0], abs=1e-7)


def test_the_table_has_the_columns_of_the_images_table_and_audit_reads_it(weights, table, tmp_path):
    out = tmp_path / "said.csv"
    predicted(weights(), table, out=str(out))
    assert list(rows_of(out)[0]) == ["id", "image", "shape", "ground", "split", "pred", "p_disc", "p_square"]
    of_table = audit(out, label="shape", group="ground", draws=200)
    given = {**OPTIONS, "image_cache": str(tmp_path / "images"), "rows": "all", "device": "cpu", "draws": 200}
    own = tmp_path / "own.csv"
    of_model = audit(
        tmp_path / "model.safetensors", data=str(table), model=f"{MODULE}:plain", precision="float32",
        predictions_out=str(own), **given,
    )  # fmt: skip
    assert of_table.counts == of_model.counts
    assert of_table.metrics.deo_a.value == pytest.approx(of_model.metrics.deo_a.value)
    again = audit(own, draws=200)
    assert again.counts == of_model.counts
    assert (again.accuracy, again.deo_a, again.deo_m) == (of_model.accuracy, of_model.deo_a, of_model.deo_m)


def test_a_table_with_ids_and_older_predictions_keeps_the_ids_and_loses_the_predictions(weights, table, tmp_path):
    rows = rows_of(table)[:3]
    with (table.parent / "few.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["id", "image", "pred", "p_disc"])
        writer.writeheader()
        writer.writerows(
            {"id": f"n{at}", "image": row["image"], "pred": "x", "p_disc": "1"} for at, row in enumerate(rows)
        )
    out = tmp_path / "said.tsv"
    result = predicted(weights(), table.parent / "few.csv", out=str(out))
    header, first, *_ = out.read_text().splitlines()
    assert header.split("\t") == ["id", "image", "pred", "p_disc", "p_square"]
    assert first.split("\t")[0] == "n0"
    assert "The columns pred, p_disc were left out" in result.text()


def test_a_damaged_image_is_named_or_skipped(weights, tmp_path):
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    draw = np.random.default_rng(0)
    for name in ("a.png", "deep/b.png", "c.jpg"):
        Image.fromarray(draw.integers(0, 255, (9, 12, 3), dtype=np.uint8)).save(folder / name)
    (folder / "bad.jpg").write_bytes(b"\xff\xd8\xff no more")
    path, out = weights(), tmp_path / "said.csv"
    with pytest.raises(DataError, match=r"1 of 4 images cannot be read: bad.jpg: .*skip them with --skip-broken"):
        predicted(path, folder, out=str(out))
    assert not out.exists()
    result = predicted(path, folder, out=str(out), skip_broken=True)
    assert result.ids.tolist() == ["a.png", "c.jpg", "deep/b.png"]
    assert [each.image for each in result.skipped] == ["bad.jpg"]
    assert "1 images cannot" not in result.text()
    assert "1 image cannot be read and was left out:\n  bad.jpg: " in result.text()
    (folder / "a.png").unlink(), (folder / "c.jpg").unlink(), (folder / "deep" / "b.png").unlink()
    with pytest.raises(DataError, match="1 of 1 images cannot be read"):
        predicted(path, folder, skip_broken=True)


def test_what_is_no_folder_of_images_is_said(weights, tmp_path):
    path, folder = weights(), tmp_path / "photos"
    folder.mkdir()
    (folder / "a.heic").touch()
    with pytest.raises(DataError, match=r"photos holds no images \(1 file was ignored because of .* \(1 \.heic\)\)"):
        predicted(path, folder)
    with pytest.raises(
        UsageError, match=r"--images .*model\.safetensors is a file; expected a folder of images or a table"
    ):
        predicted(path, path)
    (folder / "a.png").write_bytes(b"no image")
    with pytest.raises(DataError) as caught:
        predicted(path, folder)
    assert "Check the files and their folder" in str(caught.value)
    assert "--data-root" not in str(caught.value)  # which a folder refuses
    Image.new("RGB", (16, 16)).save(folder / "a.png")
    assert predicted(path, folder).text().startswith("1 image of ")


def test_classes_come_from_the_file_or_the_option(weights, table):
    images = table.parent / "test"
    path = weights(class_names=None)
    with pytest.raises(UsageError, match=r"does not name its classes; .* with --classes"):
        predicted(path, images)
    assert predicted(path, images, classes="cat,dog").class_names == ("cat", "dog")
    with pytest.raises(TeacherError, match="has 2 outputs, but there should be 3, one for each class: cat, dog, cow"):
        predicted(path, images, classes="cat,dog,cow")
    turned = predicted(weights(), images, classes="square,disc")
    straight = predicted(weights(), images)
    np.testing.assert_allclose(turned.probabilities[:, ::-1], straight.probabilities)


def test_images_are_prepared_as_the_file_says_unless_told_otherwise(weights, table):
    images = table.parent / "test"
    cropped = predicted(weights(center_crop="1.2500"), images)
    assert (cropped.model.crop, cropped.model.resized, cropped.model.size) == ("center", 20, 16)
    whole = predicted(weights(), images)
    same = predicted(weights(), images, crop="center", stored_size=20)
    assert (whole.model.crop, same.model.crop) == ("none", "center")
    np.testing.assert_array_equal(same.probabilities, cropped.probabilities)
    assert not np.allclose(whole.probabilities, cropped.probabilities)
    unknown = predicted(weights(mean=None, std=None), images)
    assert any("ImageNet's mean and ImageNet's standard deviation were assumed" in note for note in unknown.notes)
    with pytest.raises(TeacherError, match="without --exif"):
        predicted(weights(exif="false"), images, exif=True)


def test_an_exported_program_and_deep_images_are_predicted(tmp_path):
    program = torch.export.export(
        networks.drawn(networks.plain(2)).eval(), (torch.rand(2, 3, 16, 16),),
        dynamic_shapes=({0: torch.export.Dim("batch")},),
    )  # fmt: skip
    torch.export.save(program, tmp_path / "model.pt2")
    (tmp_path / "photos").mkdir()
    for at, high in enumerate((4095, 200)):
        values = np.linspace(0, high, 256).reshape(16, 16).astype(np.uint16)
        Image.fromarray(values).save(tmp_path / "photos" / f"{at}.png")
    result = predicted(tmp_path / "model.pt2", tmp_path / "photos", model=None, classes="a,b")
    assert result.model.size == 16
    assert any("12-bit values" in note for note in result.notes)
    alone = predicted(tmp_path / "model.pt2", tmp_path / "photos", model=None, classes="a,b", bits=12)
    np.testing.assert_array_equal(result.probabilities, alone.probabilities)


def test_a_dark_deep_image_alone_has_the_brightness_that_the_model_was_trained_on(weights, tmp_path):
    (tmp_path / "dark").mkdir()
    values = np.linspace(0, 900, 256).reshape(16, 16)
    Image.fromarray(values.astype(np.uint16)).save(tmp_path / "dark" / "1.png")
    (tmp_path / "eight").mkdir()
    Image.fromarray((values.astype(np.uint16) >> 4).astype(np.uint8)).save(tmp_path / "eight" / "1.png")
    expected = predicted(weights(), tmp_path / "eight").probabilities
    np.testing.assert_array_equal(predicted(weights(bits="12"), tmp_path / "dark").probabilities, expected)
    assert not np.allclose(predicted(weights(), tmp_path / "dark").probabilities, expected)
    with pytest.raises(DataError, match="its values reach 900, but 9 bits hold at most 511"):
        predicted(weights(bits="9"), tmp_path / "dark")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"images": "none"}, "--images none does not exist; expected a folder of images or a table"),
        ({"images": None}, "name the images to predict with --images"),
        ({"images": "photos", "out": "said.xlsx"}, "choose a file that ends in .csv or .tsv with --out"),
        ({"images": "photos", "stored_size": 20}, "applies only to --crop center"),
        ({"images": "photos", "data_root": "x"}, "--data-root does not apply"),
    ],
)
def test_bad_options_are_one_line(weights, tmp_path, monkeypatch, options, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    with pytest.raises(UsageError, match=text):
        predict(weights(), **options)


def test_the_command_writes_a_table_and_says_so(weights, table, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    given = ["--images", str(table.parent / "test"), "--model", f"{MODULE}:plain", "--device", "cpu"]
    assert main(["predict", str(weights()), *given]) == 0
    shown = capsys.readouterr().out
    assert "140 images of" in shown
    assert shown.endswith("Written: predictions.csv\n")
    assert len(rows_of(tmp_path / "predictions.csv")) == 140
    assert main(["predict", str(tmp_path / "none.pt"), *given]) == 2
    assert "there is no model" in capsys.readouterr().err


def test_the_json_holds_no_rows(weights, table):
    content = predicted(weights(), table.parent / "test").to_dict()
    assert json.loads(json.dumps(content))["rows"] == 140
    assert not {"ids", "predicted", "probabilities"} & set(content)


def test_a_table_of_images_is_not_overwritten(weights, table):
    before = table.read_bytes()
    with pytest.raises(UsageError, match="is read by this command, and would be overwritten; choose another --out"):
        predicted(weights(), table, out=str(table))
    assert table.read_bytes() == before


@pytest.mark.parametrize(("option", "one"), [("classes", "a class"), ("attributes", "an attribute")])
def test_a_name_given_twice_is_an_error(option, one, weights, table):
    with pytest.raises(UsageError, match=f"--{option} a,a names {one} twice"):
        predicted(weights(class_names=None), table.parent / "test", **{option: "a,a"})
