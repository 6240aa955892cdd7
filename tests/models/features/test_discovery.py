from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from fairdistill.errors import UsageError
from fairdistill.models import Tapped, TapPoint, build, digit_net, find_taps
from tests.models.user_net import ConvHeadNet, CosineNet, FunctionalNet, OneLogitNet

IMAGES = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def hooks_on(network: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in network.modules())


def features(network):
    return network.features(IMAGES)


def forward_features(network):
    return network.forward_features(IMAGES)


def input_of(name):
    """Return what a module of the network is given."""

    def reference(network):
        given = []
        handle = network.get_submodule(name).register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
        network(IMAGES)
        handle.remove()
        return given[0]

    return reference


# name, the map by the network's own pieces, name of the last layer
NETWORKS = [
    ("resnet18", input_of("avgpool"), "fc"),
    ("torchvision:resnet50", input_of("avgpool"), "fc"),
    ("shufflenet_v2_x1_0", lambda n: n.conv5(input_of("conv5")(n)), "fc"),
    ("torchvision:mobilenet_v2", features, "classifier.1"),
    ("torchvision:mobilenet_v3_small", features, "classifier.3"),
    ("torchvision:densenet121", lambda n: F.relu(n.features(IMAGES)), "classifier"),
    ("torchvision:efficientnet_b0", features, "classifier.1"),
    ("torchvision:vgg11_bn", lambda n: n.features[:-1](IMAGES), "classifier.6"),
    ("torchvision:squeezenet1_1", features, None),
    ("timm:mobilenetv3_small_050", forward_features, "classifier"),
    ("timm:resnet18", forward_features, "fc"),
    ("timm:tf_efficientnet_lite0", forward_features, "classifier"),
    ("timm:convnext_atto", forward_features, "head.fc"),
    ("timm:test_convnext", forward_features, "head.fc"),
    ("timm:vit_tiny_patch16_224", None, "head"),
    ("torchvision:swin_t", None, "head"),
]


@pytest.fixture(autouse=True)
def without_gradients():
    with torch.no_grad():
        yield


def quickly_built(name: str) -> nn.Module:
    """Build a network without drawing its weights twice; layers of a hundred million weights stay zero."""
    with torch.device("meta"):
        network = build(name, 3, image_size=64)
    network.to_empty(device="cpu")
    torch.manual_seed(0)
    for value in [*network.parameters(), *network.buffers()]:
        if value.numel() > 10_000_000:
            value.zero_()
        elif value.ndim > 1 and value.is_floating_point():
            value.normal_(std=(2 / value[0].numel()) ** 0.5)
        else:
            value.fill_(1)
    return network.eval()


@pytest.mark.parametrize(("name", "map_of", "head"), NETWORKS, ids=[name for name, _, _ in NETWORKS])
def test_known_networks_are_read_where_their_own_pieces_are(name, map_of, head):
    network = quickly_built(name) if "vgg" in name or "swin" in name else build(name, 3, image_size=64).eval()
    points = find_taps(network, IMAGES)
    taps = Tapped(network, points)(IMAGES)
    if map_of is None:
        assert "map" not in taps
    else:
        expected = map_of(network)
        assert expected.ndim == 4
        assert expected.shape[2] > 1
        torch.testing.assert_close(taps["map"], expected)
    if head is None:
        assert "embedding" not in taps
        assert points["feature"] == points["map"]
    else:
        torch.testing.assert_close(network.get_submodule(head)(taps["embedding"]), taps["logits"])
        on_the_map = name in ("resnet18", "torchvision:resnet50", "shufflenet_v2_x1_0")
        assert points["feature"] == points["map" if on_the_map else "embedding"]


@pytest.mark.parametrize("size", [32, 160, 256])
def test_the_place_does_not_depend_on_the_size_of_the_images(size):
    network = build("timm:mobilenetv3_small_050", 3).eval()
    assert find_taps(network, torch.rand(1, 3, size, size)) == find_taps(network, IMAGES)


@pytest.mark.parametrize("make", [FunctionalNet, OneLogitNet])
def test_a_users_network_is_read_after_the_activation_and_before_pooling(make):
    network = make().eval()
    points = find_taps(network, IMAGES)
    taps = Tapped(network, points)(IMAGES)
    torch.testing.assert_close(taps["map"], network.map_of(IMAGES))
    head = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
    logits = head(taps["embedding"])
    torch.testing.assert_close(taps["logits"][:, -1], logits[:, -1])
    assert points["map"].relu is isinstance(network, FunctionalNet)


def test_a_head_that_is_a_convolution_of_the_pooled_map_is_the_head():
    network = ConvHeadNet(3).eval()
    points = find_taps(network, IMAGES)
    assert points["embedding"] == TapPoint("head", "input", call=0)
    assert points["map"] == TapPoint("pool", "input", call=0)
    taps = Tapped(network, points)(IMAGES)
    assert taps["embedding"].shape == (1, 8, 1, 1)
    torch.testing.assert_close(taps["map"], network.map_of(IMAGES))


def test_a_head_that_first_normalises_is_read_at_its_input():
    network = CosineNet(3).eval()
    taps = Tapped(network, find_taps(network, IMAGES))(IMAGES)
    torch.testing.assert_close(taps["embedding"], network.body(IMAGES))
    torch.testing.assert_close(taps["map"], network.body[:2](IMAGES))


def test_an_in_place_relu_that_is_a_function_is_read_too():
    class InPlace(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm, self.head = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 3)

        def forward(self, images):
            return self.head(F.relu_(self.norm(self.conv(images))).mean((2, 3)))

    network = InPlace().eval()
    taps = Tapped(network, find_taps(network, IMAGES))(IMAGES)
    torch.testing.assert_close(taps["map"], F.relu(network.norm(network.conv(IMAGES))))


@pytest.mark.parametrize(
    ("network", "found"),
    [
        (nn.Sequential(nn.Flatten(), nn.Linear(3 * 64 * 64, 3)), {"embedding", "feature"}),
        (nn.Sequential(nn.Conv2d(3, 3, 64), nn.Flatten()), set()),
        (nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), set()),
        (nn.Sequential(nn.Conv2d(3, 3, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()), set()),  # a map of the classes
        (
            nn.Sequential(nn.Conv2d(3, 5, 3), nn.Conv2d(5, 3, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
            {"map", "feature"},
        ),
    ],
)
def test_what_a_network_does_not_have_is_left_out(network, found):
    assert set(find_taps(network, IMAGES)) == found


def test_a_network_of_a_fixed_size_is_read_on_the_example_itself():
    network, images = digit_net().eval(), torch.rand(1, 3, 16, 16)
    assert Tapped(network, find_taps(network, images))(images)["map"].shape == (1, 48, 4, 4)


@pytest.mark.parametrize("error", [RuntimeError("x"), AssertionError("x"), TypeError("x"), KeyError("x")])
def test_a_network_that_cannot_take_the_images_is_named_with_the_reason(error):
    class Refusing(nn.Module):
        def forward(self, images):
            raise error

    with pytest.raises(
        UsageError, match=rf"Refusing cannot take images of shape \(3, 64, 64\): {type(error).__name__}"
    ):
        find_taps(Refusing(), IMAGES)


def test_a_network_that_returns_no_logits_is_refused():
    with pytest.raises(UsageError, match=r"returned a tensor of shape \(1, 4, 62, 62\)"):
        find_taps(nn.Conv2d(3, 4, 3), IMAGES)


def test_finding_taps_changes_neither_modes_nor_statistics_nor_hooks(residual_net):
    network = residual_net().train()
    network.bn2.eval()
    modes = [m.training for m in network.modules()]
    state = {name: value.clone() for name, value in network.state_dict().items()}
    find_taps(network, IMAGES)
    with pytest.raises(UsageError, match=r"ResidualNet cannot take images of shape \(5, 16, 16\)"):
        find_taps(network, torch.zeros(2, 5, 16, 16))
    assert [m.training for m in network.modules()] == modes
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert hooks_on(network) == 0


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({"feature": "conv2"}, {"feature": TapPoint("conv2")}),
        ({"map": "conv1:input"}, {"map": TapPoint("conv1", "input")}),
        ({"map": "relu", "feature": "relu:output"}, {"map": TapPoint("relu"), "feature": TapPoint("relu")}),
        ({"embedding": "hidden"}, {"embedding": TapPoint("hidden"), "feature": TapPoint("hidden")}),
    ],
)
def test_a_place_the_user_names_is_taken_and_the_feature_follows_the_embedding(residual_net, named, expected):
    network = residual_net()
    assert find_taps(network, IMAGES, named=named) == {**find_taps(network, IMAGES), **expected}


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("conv9", r"tap 'feature': .* has no module 'conv9'; did you mean 'conv.*the last modules are: .*head"),
        ("stage", "has no module 'stage'; the last modules are"),
        ("", "has no module ''"),
        ("conv1:middle", "write conv1 for the module's output or conv1:input"),
        ("unused", "'unused' does not run"),
        ("pair", "the output of the module 'pair' is a tuple"),
        ("named:input", "the input of the module 'named' is a NoneType"),
    ],
)
def test_a_place_that_cannot_be_read_is_named_with_those_that_can(residual_net, place, text):
    class Pair(nn.Module):
        def forward(self, x):
            return x, x

    class Named(nn.Module):
        def forward(self, *, x):
            return x

    network = residual_net()
    network.unused, network.pair, network.named = nn.ReLU(), Pair(), Named()
    inner = network.forward
    network.forward = lambda images: inner(network.named(x=network.pair(images)[0]))
    with pytest.raises(UsageError, match=text):
        find_taps(network, IMAGES, named={"feature": place})
