"""One network for several attributes of CelebA, on drawn images: trained, audited, inspected, exported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import fairdistill
from fairdistill.auditing.attributes import audit_attributes
from fairdistill.cli.main import main
from fairdistill.errors import TeacherError, UsageError
from fairdistill.training import TrainOptions, train
from tests.data.datasets.test_celeba import draw_celeba

TARGET = "Attractive,Young"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with CelebA's files, and a run."""
    out = tmp_path_factory.mktemp("celeba")
    draw_celeba(out / "celeba")
    train(
        TrainOptions(
            data="celeba", data_root=str(out), out=str(out / "run"), model="digit_net", steps=4, batch_size=12,
            threads=1, precision="float32", data_options=own(out, target=TARGET),
        ),
        quiet=True,
    )  # fmt: skip
    return out


def own(folder: Path, **more: Any) -> dict[str, Any]:
    return {"size": 16, "balanced_test": False, "image_cache": str(folder / "images"), **more}


def test_a_run_is_audited_with_the_groups_of_its_data_in_their_order(folder):
    run = fairdistill.RunFolder.open(folder / "run")
    found = audit_attributes(folder / "run", draws=200)
    for each in found.attributes:
        assert each.audit.group_names == ("not Male", "Male") == tuple(run.result["group_names"])
        assert each.audit.to_dict()["counts"] == run.result["attributes"][each.attribute]["counts"]


def test_targets_of_a_data_set_are_audited_all_or_some(folder):
    known = {each.attribute: each.audit for each in audit_attributes(folder / "run", draws=200).attributes}
    given = {"data": "celeba", "data_root": str(folder), "draws": 200, "precision": "float32"}
    for target, order in ((TARGET, ["Attractive", "Young"]), ("Young,Attractive", ["Young", "Attractive"])):
        found = audit_attributes(folder / "run", **given, **own(folder, target=target))
        assert [each.attribute for each in found.attributes] == order
        for each in found.attributes:
            assert each.audit.counts == known[each.attribute].counts
    named = audit_attributes(folder / "run", **given, **own(folder))
    assert [each.attribute for each in named.attributes] == ["Attractive", "Young"]
    one = fairdistill.audit(folder / "run", **given, **own(folder, target="Young"))
    assert one.class_names == ("not Young", "Young")
    assert one.counts == known["Young"].counts
    with pytest.raises(TeacherError, match=r"no output for Male; its outputs are Attractive, Young; name .* --target"):
        audit_attributes(folder / "run", **given, **own(folder, target="Young,Male", group="Attractive"))
    with pytest.raises(UsageError, match="the label names several attributes"):
        fairdistill.audit(folder / "run", **given, **own(folder, target=TARGET))


def test_every_target_is_inspected_and_an_exported_file_audited(folder, capsys):
    flags = ["--data", "celeba", "--data-root", str(folder), "--no-balanced-test", "--size", "16"]
    cache = ["--image-cache", str(folder / "images")]
    assert main(["data", "inspect", *flags, *cache, "--target", TARGET]) == 0
    assert "Attribute Young, 2 of 2" in capsys.readouterr().out
    result = fairdistill.export(folder / "run", format="safetensors", out=str(folder))
    assert {each.attribute: each.reaudit.agreement for each in result.attributes} == {"Attractive": 1, "Young": 1}
