from __future__ import annotations

from urllib.error import URLError

import pytest
import torch
from torch import nn

from fairdistill.errors import UsageError
from fairdistill.models import NETWORKS, build, split_name
from fairdistill.system.vision import import_timm, import_torchvision


@pytest.mark.parametrize(("name", "size"), [("cifar_net", 32), ("digit_net", 16)])
def test_a_network_is_built_by_name_for_any_number_of_classes(name, size):
    assert build(name, 4, image_size=size)(torch.zeros(1, 3, size, size)).shape == (1, 4)
    assert name in NETWORKS


@pytest.mark.parametrize(
    "name",
    [
        "shufflenet_v2_x1_0",
        "torchvision:squeezenet1_1",
        "timm:test_resnet",
        "timm:test_vit",
        "timm:test_efficientnet.r160_in1k",
        "tests.models.user_net:make",
    ],
)
def test_a_network_of_a_package_is_built_for_the_classes_and_the_image_size(name):
    torch.manual_seed(1)
    network = build(name, 4, image_size=64).eval()
    with torch.no_grad():
        assert network(torch.zeros(2, 3, 64, 64)).shape == (2, 4)
    torch.manual_seed(1)
    again = build(name, 4, image_size=64)
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in network.state_dict().items())
    torch.manual_seed(2)
    other = build(name, 4, image_size=64)
    assert not all(map(torch.equal, network.parameters(), other.parameters()))


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("digit_net", ("fairdistill", "digit_net")),
        ("resnet18", ("torchvision", "resnet18")),
        ("shufflenet_v2_x1_0", ("torchvision", "shufflenet_v2_x1_0")),
        ("torchvision:anything", ("torchvision", "anything")),
        ("timm:resnet18.a1_in1k", ("timm", "resnet18.a1_in1k")),
        ("my_nets:make", ("my_nets", "make")),
        ("a.b:Net", ("a.b", "Net")),
    ],
)
def test_a_name_is_taken_apart_without_building(name, parts):
    assert split_name(name) == parts


@pytest.mark.parametrize(
    ("name", "way_out"),
    [
        ("cifarnet", "did you mean 'cifar_net'"),
        ("resnet81", "did you mean 'resnet18'"),
        ("resnet34", "write torchvision:resnet34 or timm:resnet34"),
        ("nets/mine.py", "add the function or class in it that makes the network: mine:NAME"),
        ("?", "Choose one of: cifar_net, digit_net, resnet18, .* timm:NAME"),
        ("", "unknown network ''"),
        ("my_nets.py:make", "my_nets:make"),
        ("my_nets:", "expected torchvision:NAME"),
        (":make", "package.module:factory"),
        ("timm:", "timm:NAME"),
        ("a:b:c", "cannot read the network 'a:b:c'"),
        ("lib/nets.py:Small", "; write nets:Small, and run fairdistill in lib$"),
        ("C:\\nets.py:make", "cannot read"),
    ],
)
def test_a_name_of_no_known_form_is_answered_with_those_there_are(name, way_out):
    with pytest.raises(UsageError, match=way_out):
        split_name(name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("torchvision:resnet19", "no classification network 'resnet19'; did you mean 'resnet1"),
        ("torchvision:fcn_resnet50", "no classification network"),
        ("timm:mobilenetv3_smal_050", "did you mean .*mobilenetv3_small_050"),
        ("timm:hf-hub:timm/resnet18", "timm has no classification network"),
        ("torchvision:vit_b_32", "cannot build torchvision:vit_b_32 for images of 30 pixels"),
    ],
)
def test_a_network_that_a_package_cannot_make_is_named_with_its_neighbours(name, text):
    with pytest.raises(UsageError, match=text):
        build(name, 3, image_size=30)


@pytest.mark.parametrize("name", ["digit_net", "tests.models.user_net:make", "timm:test_mambaout"])
def test_a_network_nobody_published_weights_of_has_none(name, monkeypatch):
    timm = import_timm()
    monkeypatch.setattr(timm, "is_model", lambda name: True)
    monkeypatch.setattr(timm, "get_pretrained_cfg", lambda name: None)
    with pytest.raises(UsageError, match=r"no.*weights.*--init FILE"):
        build(name, 3, pretrained=True)


@pytest.mark.parametrize("name", ["torchvision:squeezenet1_1", "shufflenet_v2_x1_0"])
def test_published_weights_of_torchvision_come_with_a_new_head(monkeypatch, name):
    models = import_torchvision().models
    published = models.get_model(name.removeprefix("torchvision:"), weights=None).state_dict()
    fetched = []

    def fetch(url, **options):
        fetched.append(url)
        return published

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", fetch)
    network = build(name, 3, pretrained=True).eval()
    assert fetched == [models.get_model_weights(name.removeprefix("torchvision:")).DEFAULT.url]
    head = [key for key, value in network.state_dict().items() if value.shape != published[key].shape]
    assert head in (["fc.weight", "fc.bias"], ["classifier.1.weight", "classifier.1.bias"])
    assert all(torch.equal(value, published[key]) for key, value in network.state_dict().items() if key not in head)
    with torch.no_grad():
        assert network(torch.zeros(1, 3, 64, 64)).shape == (1, 3)


def test_weights_that_cannot_be_fetched_are_named_with_their_place(monkeypatch):
    def fail(*args, **options):
        raise URLError("no route to host")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", fail)
    with pytest.raises(UsageError, match=r"download\.pytorch\.org/models/resnet18-.*no route.*--init FILE"):
        build("resnet18", 3, pretrained=True)
    monkeypatch.setattr(import_timm(), "create_model", fail)
    with pytest.raises(UsageError, match=r"huggingface\.co/timm/resnet18\.a1_in1k/.*no route.*--init FILE"):
        build("timm:resnet18", 3, pretrained=True)


def test_a_head_without_a_linear_layer_or_convolution_cannot_be_replaced():
    from fairdistill.models.head import replace_head

    with pytest.raises(UsageError, match="Sequential has no linear or convolutional head"):
        replace_head(nn.Sequential(nn.Flatten()), 3)
