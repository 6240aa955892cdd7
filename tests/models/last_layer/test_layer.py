from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from fairdistill.errors import LastLayerError
from fairdistill.models import build, class_logits, find_last_layer
from fairdistill.models.last_layer.layer import layer_features, set_layer
from fairdistill.models.programs.exported import load_program
from fairdistill.models.reading import OutputReading

IMAGES = torch.randn(6, 3, 16, 16, generator=torch.Generator().manual_seed(1))


def body(*end, width=8):
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, width, 3, padding=1), nn.ReLU(), *end).eval()


def pooled(*end):
    return body(nn.AdaptiveAvgPool2d(1), nn.Flatten(), *end)


class Twice(nn.Module):
    """Runs one layer on two features, or ties its weight to that of another layer."""

    def __init__(self, *, tied):
        super().__init__()
        self.body, self.first, self.last = pooled(), nn.Linear(8, 8), nn.Linear(8, 8)
        if tied:
            self.first.weight = self.last.weight
        self.tied = tied

    def forward(self, images):
        features = self.body(images)
        return self.last((self.first if self.tied else self.last)(features))


class Registered(nn.Module):
    """Has its last layer under two names."""

    def __init__(self):
        super().__init__()
        self.body, self.fc = pooled(), nn.Linear(8, 3)
        self.classifier = self.fc

    def forward(self, images):
        return self.classifier(self.body(images))


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = body(), nn.Linear(8, 3)

    def forward(self, images):
        return {"logits": self.head(self.body(images).flatten(2).transpose(1, 2)).mean(1)}


def agrees(network, layer, images=IMAGES):
    """Check that the layer's formula gives the network's probabilities."""
    features = layer_features(network, layer, images)
    with torch.no_grad():
        expected = class_logits(network(images)).softmax(1)
    torch.testing.assert_close((features @ layer.weight.T + layer.bias).softmax(1), expected)


@pytest.mark.parametrize(
    ("name", "size", "layer", "width"),
    [("cifar_net", 32, "output", 256), ("digit_net", 16, "output", 96), ("resnet18", 32, "fc", 512),
     ("shufflenet_v2_x1_0", 32, "fc", 1024), ("torchvision:mobilenet_v3_small", 32, "classifier.3", 1024)],
)  # fmt: skip
def test_the_networks_by_name_have_a_last_layer(name, size, layer, width):
    network = build(name, 7, image_size=size).eval()
    images = torch.randn(4, 3, size, size)
    before = copy.deepcopy(network.state_dict())
    found = find_last_layer(network, images)
    assert (found.name, tuple(found.weight.shape), found.rows) == (layer, (7, width), tuple(range(7)))
    assert found.has_bias
    assert not found.single
    agrees(network, found, images)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert not network.get_submodule(layer)._forward_pre_hooks


@pytest.mark.parametrize(
    ("end", "spaced"),
    [((nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 3, 1), nn.Flatten()), True),
     ((nn.Conv2d(8, 3, 1, bias=False), nn.AdaptiveAvgPool2d(1), nn.Flatten()), True),
     ((nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3, bias=False)), False),
     ((nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3), nn.Dropout(), nn.LogSoftmax(1)), False)],
    ids=["convolution after pooling", "convolution before pooling", "no bias", "log-softmax"],
)  # fmt: skip
def test_heads_of_other_kinds(end, spaced):
    network = body(*end)
    layer = find_last_layer(network, IMAGES)
    assert layer.pooled == spaced
    assert layer.weight.shape == (3, 8)
    agrees(network, layer)


def test_a_linear_layer_of_tokens_that_are_averaged_afterwards():
    network = Tokens().eval()
    layer = find_last_layer(network, IMAGES)
    assert layer.pooled
    agrees(network, layer)


@pytest.mark.parametrize("end", [(), (nn.Sigmoid(),)], ids=["logit", "sigmoid"])
@pytest.mark.parametrize("order", [None, (1, 0)])
def test_one_logit_is_two_rows_of_which_one_is_zero(end, order):
    network = pooled(nn.Linear(8, 1), *end)
    OutputReading("probabilities" if end else "logits", order).attach(network)
    layer = find_last_layer(network, IMAGES)
    zero, positive = (0, 1) if order is None else (1, 0)
    assert layer.single
    assert not layer.weight[zero].any()
    torch.testing.assert_close(layer.weight[positive], network[4].weight[0].detach())
    agrees(network, layer)
    weight, bias = torch.randn(2, 8), torch.randn(2)
    set_layer(network, layer, weight, bias)
    torch.testing.assert_close(network[4].weight[0], weight[positive] - weight[zero])
    with torch.no_grad():
        logits = layer_features(network, layer, IMAGES) @ weight.T + bias
        torch.testing.assert_close(class_logits(network(IMAGES)).softmax(1), logits.softmax(1))


@pytest.mark.parametrize("kind", ["logits", "probabilities"])
def test_rows_are_in_the_order_of_the_classes(kind):
    network = pooled(nn.Linear(8, 3), *([nn.Softmax(1)] if kind == "probabilities" else []))
    own = network[4].weight.detach().clone()
    OutputReading(kind, (2, 0, 1)).attach(network)
    layer = find_last_layer(network, IMAGES)
    assert torch.equal(layer.weight, own[[2, 0, 1]])
    agrees(network, layer)
    set_layer(network, layer, layer.weight, layer.bias)
    assert torch.equal(network[4].weight, own)


@pytest.mark.parametrize(
    ("network", "text"),
    [
        (body(nn.Conv2d(8, 3, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()), r"layer 2 are not .* \(relu,"),
        (body(nn.Conv2d(8, 3, 1), nn.AdaptiveMaxPool2d(1), nn.Flatten()), r"\(adaptive_max_pool2d\)"),
        (pooled(nn.Linear(8, 3), nn.Sigmoid()), r"\(sigmoid\)"),
        (pooled(nn.Linear(8, 3), nn.LayerNorm(3)), r"\(layer_norm"),
        (pooled(), r"no linear layer or 1x1 convolution that makes its 8 outputs$"),
        (pooled(nn.Linear(8, 5), nn.Softplus(), nn.AdaptiveAvgPool1d(3)), "runs, 4, has another number of outputs"),
        (pooled(parametrizations.weight_norm(nn.Linear(8, 3))), "computed from other parameters"),
        (Twice(tied=True).eval(), "shares its weights with first"),
        (Twice(tied=False).eval(), "runs 2 times"),
    ],
    ids=["ReLU", "maximum", "sigmoids", "norm", "none", "another width", "weight norm", "tied", "twice"],
)  # fmt: skip
def test_other_networks_are_refused_with_the_reason(network, text):
    before = copy.deepcopy(network.state_dict())
    with pytest.raises(LastLayerError, match=text):
        find_last_layer(network, IMAGES)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_a_layer_can_be_named():
    network = pooled(nn.Linear(8, 3), nn.ReLU(), nn.Linear(3, 3))
    assert find_last_layer(network, IMAGES, name="6").name == "6"
    for name, text in (
        ("4", "layer 4 are not the network's logits"),
        ("head", "Sequential has no such module; the last modules are: 0, 1, 2, 3, 4, 5, 6"),
        ("1", "is a ReLU; it must be a linear layer"),
    ):
        with pytest.raises(LastLayerError, match=text):
            find_last_layer(network, IMAGES, name=name)
    network.extra = nn.Linear(3, 3)
    network.forward = lambda images: nn.Sequential(*list(network)[:-1])(images)
    with pytest.raises(LastLayerError, match="does not run"):
        find_last_layer(network, IMAGES, name="extra")


def test_a_layer_under_two_names_has_both():
    assert find_last_layer(Registered().eval(), IMAGES).aliases == ("fc", "classifier")


def test_a_layer_without_a_bias_takes_none():
    network = pooled(nn.Linear(8, 3, bias=False))
    layer = find_last_layer(network, IMAGES)
    assert not layer.bias.any()
    set_layer(network, layer, layer.weight + 1, torch.full((3,), 2.0))  # a constant changes no probability
    with pytest.raises(LastLayerError, match="has no bias"):
        layer.own(layer.weight, torch.tensor([0.0, 1.0, 0.0]))
    with pytest.raises(LastLayerError, match=r"expected a weight \[3, 8\] and a bias \[3\]"):
        layer.own(layer.weight[:2], layer.bias[:2])


def test_an_exported_program_is_refused(tmp_path):
    program = torch.export.export(pooled(nn.Linear(8, 3)), (IMAGES,))
    torch.export.save(program, tmp_path / "m.pt2")
    with pytest.raises(LastLayerError, match="complete program: its last layer cannot be changed"):
        find_last_layer(load_program(tmp_path / "m.pt2"), IMAGES)
