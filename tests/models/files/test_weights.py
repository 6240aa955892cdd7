from __future__ import annotations

import argparse
import pickle
import re
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from fairdistill.errors import UsageError
from fairdistill.models import digit_net, load_weights, open_weights, read_weights
from fairdistill.models.files.weights import part_of


def net(classes=3):
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(8, classes))


WEIGHTS = net().state_dict()


def same(weights, others=WEIGHTS):
    return weights.keys() == others.keys() and all(torch.equal(weights[name], others[name]) for name in weights)


def prefixed(prefix):
    return {prefix + name: value for name, value in WEIGHTS.items()}


def test_a_safetensors_file_is_read_with_its_metadata(tmp_path):
    safetensors.torch.save_file(dict(WEIGHTS), tmp_path / "a.safetensors", metadata={"network": "x"})
    weights, metadata = read_weights(str(tmp_path / "a.safetensors"))
    assert same(weights)
    assert metadata == {"network": "x"}


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".ckpt"])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_state_dict_of_torch_save_is_read(tmp_path, suffix, zipped):
    torch.save(WEIGHTS, tmp_path / f"a{suffix}", _use_new_zipfile_serialization=zipped)
    weights, metadata = read_weights(tmp_path / f"a{suffix}")
    assert same(weights)
    assert metadata == {}


@pytest.mark.parametrize(
    "content",
    [
        {"state_dict": prefixed("model."), "epoch": 3, "callbacks": {}},
        {"model_state_dict": WEIGHTS, "optimizer_state_dict": {"state": {}}},
        {"model": WEIGHTS, "epoch": 90},
        {"module": prefixed("module."), "acc": 93.1},
        {"net": prefixed("module._orig_mod.")},
        {"model": {"state_dict": prefixed("_orig_mod.module.")}},
        {"state_dict": prefixed("net."), "class_to_idx": {"a": 0}},
        {"weights of mine": prefixed("backbone."), "epoch": 3, "mean": torch.zeros(3)},
        {"a": {"b": {"c": WEIGHTS}}},
        prefixed("module._orig_mod.model.net.backbone."),
    ],
)
def test_weights_are_found_where_trainers_put_them(tmp_path, content):
    torch.save(content, tmp_path / "a.pt")
    assert same(read_weights(tmp_path / "a.pt")[0])


AVERAGED = {name: value + 1 for name, value in WEIGHTS.items()}


def test_of_several_weights_the_usual_ones_are_read_and_the_others_by_their_key(tmp_path):
    torch.save({"epoch": 3, "state_dict_ema": AVERAGED, "state_dict": dict(WEIGHTS)}, tmp_path / "a.pt")
    found = open_weights(tmp_path / "a.pt")
    assert same(found.tensors)
    assert (found.key, found.others) == ("state_dict", ("state_dict_ema",))
    found = open_weights(tmp_path / "a.pt", key="state_dict_ema")
    assert same(found.tensors, AVERAGED)
    with pytest.raises(UsageError, match=r"no weights under the key 'ema' .*it has weights under state_dict_ema, "):
        open_weights(tmp_path / "a.pt", key="ema")


def test_several_weights_none_of_which_is_usual_are_a_question(tmp_path):
    torch.save({"raw": dict(WEIGHTS), "smooth": AVERAGED}, tmp_path / "a.pt")
    with pytest.raises(UsageError, match="several keys: raw, smooth; choose one with --weights-key"):
        open_weights(tmp_path / "a.pt")
    assert open_weights(tmp_path / "a.pt", key="smooth").others == ("raw",)


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_a_key_where_there_is_none_is_an_error(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    safetensors.torch.save_file(dict(WEIGHTS), path) if suffix == ".safetensors" else torch.save(WEIGHTS, path)
    with pytest.raises(UsageError, match="drop"):
        open_weights(path, key="model")


def test_averaged_models_and_losses_beside_a_network_are_understood(tmp_path):
    model = torch.optim.swa_utils.AveragedModel(net())
    model.update_parameters(net())
    torch.save(model.state_dict(), tmp_path / "a.pt")
    found = open_weights(tmp_path / "a.pt")
    assert found.prefix == "module."
    network = net()
    load_weights(network, found.tensors, where="here")
    assert same(network.state_dict(), model.module.state_dict())
    load_weights(network, {**prefixed("model."), "criterion.weight": torch.ones(3)}, where="here")
    assert same(network.state_dict())


def test_the_part_of_a_training_module_that_is_the_network_is_found(tmp_path):
    torch.save({**prefixed("student."), "projector.weight": torch.ones(2)}, tmp_path / "a.pt")
    found = part_of(open_weights(tmp_path / "a.pt"), net().state_dict(), where="a.pt")
    assert same(found.tensors)
    assert found.prefix == "student."
    averaged = {f"ema.{name}": value for name, value in AVERAGED.items()}
    torch.save({"state_dict": {**averaged, **prefixed("model.")}}, tmp_path / "a.pt")
    found = part_of(open_weights(tmp_path / "a.pt"), net().state_dict(), where="a.pt")
    assert same(found.tensors)
    assert found.others == ("ema",)
    assert same(open_weights(tmp_path / "a.pt", key="ema").tensors, AVERAGED)
    torch.save({**averaged, **prefixed("raw.")}, tmp_path / "a.pt")
    with pytest.raises(UsageError, match="several names: ema, raw; choose one with --weights-key"):
        part_of(open_weights(tmp_path / "a.pt"), net().state_dict(), where="a.pt")
    assert part_of(open_weights(tmp_path / "a.pt", key="raw"), net().state_dict(), where="a.pt").prefix == ""


def test_class_names_in_a_checkpoint_are_returned(tmp_path):
    torch.save({"state_dict": WEIGHTS, "hyper_parameters": {"classes": ["b", "a", "c"]}}, tmp_path / "a.pt")
    assert open_weights(tmp_path / "a.pt").class_names == ("b", "a", "c")


def test_a_prefix_that_not_all_names_have_is_part_of_the_names(tmp_path):
    weights = {"model.a": torch.zeros(1), "head": torch.zeros(1)}
    torch.save(weights, tmp_path / "a.pt")
    assert same(read_weights(tmp_path / "a.pt")[0], weights)


def test_the_arguments_that_a_command_was_started_with_do_not_matter(tmp_path):
    torch.save({"state_dict": WEIGHTS, "args": argparse.Namespace(lr=0.1, model="net")}, tmp_path / "a.pt")
    assert same(read_weights(tmp_path / "a.pt")[0])


@pytest.mark.parametrize("name", ["model_best.pth.tar", "a.PT", "a.model", "weights"])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_of_torch_save_is_read_whatever_it_is_called(tmp_path, name, zipped):
    torch.save(WEIGHTS, tmp_path / name, _use_new_zipfile_serialization=zipped)
    assert same(read_weights(tmp_path / name)[0])


def test_a_part_of_a_safetensors_file_is_chosen_by_what_its_names_begin_with(tmp_path):
    averaged = {f"ema.{name}": value for name, value in AVERAGED.items()}
    safetensors.torch.save_file({**averaged, **prefixed("raw.")}, tmp_path / "A.SAFETENSORS", metadata={"a": "b"})
    with pytest.raises(UsageError, match="several names: ema, raw; choose one with --weights-key"):
        part_of(open_weights(tmp_path / "A.SAFETENSORS"), net().state_dict(), where="a")
    found = open_weights(tmp_path / "A.SAFETENSORS", key="ema")
    assert same(found.tensors, AVERAGED)
    assert found.metadata == {"a": "b"}


def test_whole_numbers_are_not_taken_for_weights(tmp_path):
    quantized = {name: (value * 10).to(torch.int8) if value.ndim > 1 else value for name, value in WEIGHTS.items()}
    network = net()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(UsageError, match=r"q\.pt do not fit Sequential: of whole numbers, as if quantized: 0\.w"):
        load_weights(network, quantized, where="q.pt")
    assert same(network.state_dict(), before)


class Trap:
    def __reduce__(self):
        return (exec, ("raise SystemExit('ran')",))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (Path("a"), r"holds more than tensors \(pathlib\.PosixPath\) and was not opened"),
        ({"state_dict": None, "epoch": 3}, r"holds more than tensors \(state_dict, epoch\); on"),
        (Trap(), "holds more than tensors"),
        ({"state_dict": {name: value.numpy() for name, value in WEIGHTS.items()}}, "holds more than tensors"),
        ({**WEIGHTS, "epoch": 3}, r"holds more than tensors \(epoch\)"),
        ([torch.zeros(1)], "holds a list"),
        ({}, "holds no weights"),
    ],
)
def test_a_file_that_holds_anything_else_is_refused_and_runs_nothing(tmp_path, content, text):
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(UsageError, match=rf"a\.pt {text}") as caught:
        read_weights(tmp_path / "a.pt")
    assert "no weights" in text or "save model.state_dict()" in str(caught.value)


def test_a_plain_pickle_and_a_scripted_network_are_refused(tmp_path):
    (tmp_path / "a.pt").write_bytes(pickle.dumps(Trap()))
    with pytest.warns(DeprecationWarning, match="jit"):  # scripting itself is deprecated
        torch.jit.script(nn.Linear(2, 2)).save(str(tmp_path / "b.pt"))
    for name in ("a.pt", "b.pt"):
        with pytest.raises(UsageError, match="holds more than tensors"):
            read_weights(tmp_path / name)


@pytest.mark.parametrize(
    ("suffix", "content", "text"),
    [
        (".pt", b"", r"\(0 bytes\) is damaged or incomplete"),
        (".pt", b"hello world\n", "is damaged or incomplete, or was not written by torch.save"),
        (".pt", None, "is damaged or incomplete, or was not written by torch.save; copy or save it again$"),
        (".safetensors", b"", "is damaged or incomplete, or not a .safetensors file"),
        (".safetensors", b"hello world\n", "is damaged or incomplete, or not a .safetensors file"),
        (".csv", b"x", r"is a table; expected a model\. A table of predictions is audited without --data"),
        (".h5", b"x", r"has an unknown extension; expected one of \.safetensors, \.pt"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, suffix, content, text):
    path = tmp_path / f"a{suffix}"
    if content is None:
        torch.save(WEIGHTS, path)
        content = path.read_bytes()[: path.stat().st_size // 2]
    path.write_bytes(content)
    with pytest.raises(UsageError, match=f"{re.escape(str(path))}.*{text}"):
        read_weights(path)


def test_a_file_that_is_not_there_or_is_a_folder_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"there is no file .*none\.pt"):
        read_weights(tmp_path / "none.pt")
    with pytest.raises(UsageError, match="is a folder"):
        read_weights(tmp_path)


@pytest.mark.parametrize("prefix", ["", "module.", "model."])
def test_weights_that_fit_are_loaded_whichever_side_has_a_prefix(prefix):
    network = net()
    assert load_weights(network, prefixed(prefix), where="here") == []
    assert same(network.state_dict())

    class Wrapped(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = net()

    wrapped = Wrapped()
    load_weights(wrapped, prefixed(prefix), where="here")
    assert same(wrapped.model.state_dict())


def test_half_precision_becomes_the_networks_own_and_counters_may_be_missing():
    network = net()
    half = {name: value.bfloat16() for name, value in WEIGHTS.items() if value.is_floating_point()}
    assert load_weights(network, half, where="here") == []
    assert {value.dtype for value in network.parameters()} == {torch.float32}
    assert torch.equal(network[3].weight, WEIGHTS["3.weight"].bfloat16().float())


def test_what_does_not_fit_is_listed_by_kind_and_nothing_is_changed():
    network = digit_net(3)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    given = {**before, "output.weight": torch.zeros(5, 96), "extra": torch.zeros(1)}
    for name in [name for name in before if name.startswith("stages")]:
        del given[name]
    with pytest.raises(UsageError) as caught:
        load_weights(network, given, where="old.pt")
    text = str(caught.value)
    assert text.startswith(
        "the weights of old.pt do not fit ConvNet: missing from it: stages.0.weight, stages.0.bias, "
    )
    assert "and 7 more; not in the network: extra; of another shape: output.weight ([5, 96] instead of [3, 96])" in text
    assert same(network.state_dict(), before)


def test_a_new_head_keeps_its_own_values_where_the_shape_differs():
    torch.manual_seed(1)
    network = net(7)
    head = network[3].weight.clone()
    with pytest.raises(UsageError, match=r"of another shape: 3.weight \(\[3, 8\] instead of \[7, 8\]\), 3.bias"):
        load_weights(network, WEIGHTS, where="here")
    assert load_weights(network, WEIGHTS, where="here", new_head=True) == ["3.weight", "3.bias"]
    assert torch.equal(network[3].weight, head)
    assert torch.equal(network[0].weight, WEIGHTS["0.weight"])
    assert load_weights(net(3), WEIGHTS, where="here", new_head=True) == []


def test_a_new_head_excuses_no_other_layer():
    body = nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(8, 3))
    with pytest.raises(UsageError, match=r"of another shape: 0.weight .* 0.bias"):
        load_weights(body, WEIGHTS, where="here", new_head=True)
    with pytest.raises(UsageError, match=r"missing from it: 3.weight"):
        load_weights(net(), {n: v for n, v in WEIGHTS.items() if n != "3.weight"}, where="here", new_head=True)


class TwoHeads(nn.Module):
    def __init__(self, classes: int) -> None:
        super().__init__()
        self.body, self.head, self.head_dist = nn.Linear(4, 8), nn.Linear(8, classes), nn.Linear(8, classes)


def test_a_second_head_of_as_many_outputs_is_new_too():
    given = TwoHeads(5).state_dict()
    left = load_weights(TwoHeads(3), given, where="here", new_head=True)
    assert left == ["head.weight", "head.bias", "head_dist.weight", "head_dist.bias"]
    given["body.weight"] = given["body.weight"][:5]
    with pytest.raises(UsageError, match=r"of another shape: body\.weight"):
        load_weights(TwoHeads(3), given, where="here", new_head=True)
