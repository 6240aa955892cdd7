from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder

import pytest

from fairdistill.errors import UsageError
from fairdistill.system.vision import import_timm, import_torchvision


def is_part_of(package, name):
    return name.partition(".")[0] == package


@pytest.fixture
def forget(monkeypatch):
    """Let the next import of a package be its first; afterwards the real one is back."""

    def forget(package):
        for name in [name for name in sys.modules if is_part_of(package, name)]:
            monkeypatch.delitem(sys.modules, name)

    return forget


class Absent(MetaPathFinder):
    def __init__(self, *names):
        self.names = names

    def find_spec(self, name, path=None, target=None):
        if name in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def test_networks_of_both_packages_can_be_made():
    assert import_torchvision().models.shufflenet_v2_x0_5(num_classes=3).fc.out_features == 3
    assert import_timm().create_model("test_resnet", num_classes=3).fc.out_features == 3


@pytest.mark.parametrize(
    "error",
    ["RuntimeError('operator torchvision::roi_align does not exist')", "ImportError('libcudart')", "OSError('x')"],
)
def test_any_other_error_of_the_import_is_the_users_to_see(tmp_path, monkeypatch, forget, error):
    (tmp_path / "torchvision.py").write_text(f"raise {error}")
    forget("torchvision")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises((RuntimeError, ImportError, OSError), match=error.split("'")[1]):
        import_torchvision()


def test_the_import_is_tried_again_once_after_exactly_the_error_of_a_cuda_build(tmp_path, monkeypatch, forget):
    import_torchvision()  # so that the schemas are there, whichever build is installed
    (tmp_path / "torchvision.py").write_text(
        "import builtins\n"
        "builtins.tries = getattr(builtins, 'tries', 0) + 1\n"
        "raise RuntimeError('operator torchvision::nms does not exist')"
    )
    monkeypatch.setattr("builtins.tries", 0, raising=False)
    monkeypatch.setattr("fairdistill.system.vision._kept", [object()])
    forget("torchvision")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RuntimeError, match="nms does not exist"):
        import_torchvision()
    assert sys.modules["builtins"].tries == 2


@pytest.mark.parametrize(
    ("missing", "load"), [("torchvision", import_torchvision), ("timm", import_timm), ("torchvision", import_timm)]
)
def test_a_package_that_is_missing_is_answered_with_the_line_that_installs_it(monkeypatch, forget, missing, load):
    forget(missing)
    monkeypatch.setattr(sys, "meta_path", [Absent(missing), *sys.meta_path])
    with pytest.raises(UsageError, match=rf"needs {missing}.*pip install 'fairdistill\[vision\]'"):
        load()


def test_a_package_that_is_missing_a_part_of_its_own_is_not_called_missing(tmp_path, monkeypatch, forget):
    (tmp_path / "torchvision.py").write_text("import no_such_part")
    forget("torchvision")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_part"):
        import_torchvision()
