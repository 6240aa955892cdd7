from __future__ import annotations

import zipfile

import numpy as np
import pytest
import torch
from torch import nn

from fairdistill.errors import UsageError
from fairdistill.models.files.rewriting import Change, rewritten


def network(dtype: torch.dtype) -> nn.Module:
    torch.manual_seed(0)
    made = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)).to(dtype)
    made[2].weight = nn.Parameter(torch.arange(12).to(dtype).reshape(4, 3)[1:3].t()[:, :].t())  # a part of a storage
    return made


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("nested", [False, True])
def test_a_pickled_network_stays_one_with_other_numbers(tmp_path, dtype, nested):
    model, path = network(dtype), tmp_path / "model.pt"
    torch.save({"best": np.float64(0.5), "model": model} if nested else model, path)
    new = {"2.weight": torch.tensor([[7.0, -1, 0], [2, 3, 4]]), "2.bias": torch.tensor([0.5, -0.5])}
    changes = {name: Change(model.state_dict()[name].float(), value) for name, value in new.items()}
    (tmp_path / "new.pt").write_bytes(rewritten(path, changes, names=model.state_dict()))
    for mapped in (False, True):
        found = torch.load(tmp_path / "new.pt", weights_only=False, mmap=mapped)
        own = found["model"] if nested else found
        assert isinstance(own, nn.Sequential)
        expected = {**model.state_dict(), **{name: value.to(dtype) for name, value in new.items()}}
        assert all(torch.equal(own.state_dict()[name], value) for name, value in expected.items())
        assert not nested or found["best"] == 0.5
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(tmp_path / "new.pt") as after:
        assert after.testzip() is None
        names = before.namelist()
        assert after.namelist() == names
        assert sum(before.read(name) != after.read(name) for name in names) == 2


def test_a_network_that_has_changed_since_is_refused(tmp_path):
    model, path = network(torch.float32), tmp_path / "model.pt"
    torch.save(model, path)
    changes = {"2.bias": Change(torch.zeros(2), torch.ones(2))}
    with pytest.raises(UsageError, match=r"no longer holds the model that was read from it \(2\.bias differs\)"):
        rewritten(path, changes, names=model.state_dict())


def test_a_layer_that_shares_its_numbers_with_another_is_not_changed(tmp_path):
    model, path = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3)), tmp_path / "model.pt"
    model[1].weight = model[0].weight
    torch.save(model, path)
    before = model.state_dict()
    changes = {"1.weight": Change(before["1.weight"], torch.ones(3, 3))}
    with pytest.raises(UsageError, match=r"0\.weight shares numbers with another layer"):
        rewritten(path, changes, names=before)
    same = {name: Change(before[name], torch.ones(3, 3)) for name in ("0.weight", "1.weight")}
    path.write_bytes(rewritten(path, same, names=before))
    assert torch.equal(torch.load(path, weights_only=False)[0].weight, torch.ones(3, 3))


def test_a_file_of_another_byte_order_is_not_changed(tmp_path):
    model, path = nn.Linear(2, 2), tmp_path / "model.pt"
    torch.save(model, path)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "big.pt", "w") as new:
        for name in old.namelist():
            content = b"big" if name.endswith("/byteorder") else old.read(name)
            if "/data/" in name:
                content = np.frombuffer(content, "<f4").astype(">f4").tobytes()
            new.writestr(name, content)
    changes = {"bias": Change(model.bias.detach(), torch.ones(2))}
    with pytest.raises(UsageError, match=r"big\.pt was written on a machine with another byte order"):
        rewritten(tmp_path / "big.pt", changes, names=model.state_dict())
