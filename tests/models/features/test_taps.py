from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from fairdistill.errors import UsageError
from fairdistill.models import Tapped, TapPoint, build, cifar_net, digit_net, find_taps, parse_taps
from tests.models.features.test_discovery import hooks_on
from tests.models.user_net import CosineNet, OneLogitNet

IMAGES = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("make", "size", "map_shape", "hidden"),
    [(cifar_net, 32, (128, 8, 8), 256), (digit_net, 16, (48, 4, 4), 96)],
)
def test_a_conv_net_is_read_at_its_last_map_before_pooling_and_at_its_hidden_activations(make, size, map_shape, hidden):
    network, images = make().eval(), torch.rand(2, 3, size, size)
    taps = Tapped(network, find_taps(network, images))(images)
    before_pooling = network.stages[:-2](images)
    activations = F.relu(network.hidden(network.stages(images).flatten(1)))
    assert before_pooling.shape == (2, *map_shape)
    assert activations.shape == (2, hidden)
    assert torch.equal(taps["map"], before_pooling)
    assert torch.equal(taps["embedding"], activations)
    assert torch.equal(taps["feature"], activations)
    assert torch.equal(taps["logits"], network(images))


@pytest.mark.parametrize("relu_in_head", [False, True])
def test_a_network_that_reuses_one_relu_module_is_read_at_the_end_of_its_last_block(residual_net, relu_in_head):
    network = residual_net(relu_in_head=relu_in_head).eval()
    taps = Tapped(network, find_taps(network, IMAGES))(IMAGES)
    assert taps["map"].shape == (2, 8, 8, 8)
    assert bool((taps["map"] >= 0).all())
    assert torch.equal(network.head_of(taps["map"]), taps["logits"])
    assert torch.equal(network.head(taps["embedding"]), taps["logits"])


@pytest.mark.parametrize("after", [nn.Dropout(0.5), nn.Dropout2d(0.5), nn.MaxPool2d(3, 1, 1), nn.AvgPool2d(3, 1, 1)])
def test_the_map_is_read_before_pooling_or_dropout_that_keeps_its_shape(after):
    body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    network = nn.Sequential(body, after, nn.Flatten(), nn.Linear(4 * 14 * 14, 3))
    taps = Tapped(network, find_taps(network, IMAGES))(IMAGES)
    assert torch.equal(taps["map"], body(IMAGES))


def test_features_carry_gradients_to_the_first_layer():
    network = digit_net()
    tapped = Tapped(network, find_taps(network, IMAGES))
    for name in ("embedding", "map", "feature", "logits"):
        network.zero_grad()
        tapped(IMAGES)[name].sum().backward()
        gradient = network.stages[0].weight.grad
        assert gradient is not None, name
        assert bool(gradient.any()), name


def test_hooks_are_on_one_instance_alone_and_can_be_removed():
    network, other, forward = digit_net(), digit_net(), type(digit_net()).forward
    tapped = Tapped(network, find_taps(network, IMAGES))
    assert hooks_on(network) == 3
    assert hooks_on(other) == 0
    assert type(network).forward is forward
    tapped.remove()
    assert hooks_on(network) == 0
    assert set(tapped(IMAGES)) == {"logits"}


def test_a_module_that_is_not_there_is_named_with_some_that_are():
    with pytest.raises(UsageError, match=r"tap 'map'.*no module 'layer9'.*output"):
        Tapped(digit_net(), {"map": TapPoint("layer9")})


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (None, {}),
        ("layer4", {"feature": "layer4"}),
        ("layer4.1:input", {"feature": "layer4.1:input"}),
        ("map=features.5, embedding = head.0:input", {"map": "features.5", "embedding": "head.0:input"}),
        ("layer4,map=layer3", {"feature": "layer4", "map": "layer3"}),
    ],
)
def test_places_are_named_for_the_feature_alone_or_one_by_one(text, named):
    assert parse_taps(text) == named


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("maps=layer4", "cannot name the feature 'maps'.*embedding, map, feature; logits"),
        ("logits=fc", "cannot name the feature 'logits'.*logits are always"),
        ("", "'feature' in .* names no module"),
        ("map=", "'map' in .* names no module"),
        ("map=:input", "'map' in .* names no module"),
        ("layer4,", "'feature' in .* names no module"),
        ("map=a,map=b", "'map' is named twice"),
    ],
)
def test_a_place_named_in_another_way_is_refused(text, reason):
    with pytest.raises(UsageError, match=reason):
        parse_taps(text)


@pytest.mark.parametrize("inplace", [False, True])
def test_a_point_before_a_functional_relu_is_read_through_one(inplace):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 2, 3)

        def forward(self, images):
            return F.relu(self.conv(images), inplace=inplace).mean((2, 3))

    network = Net()
    image = IMAGES.clone().requires_grad_()
    caught = Tapped(network, {"map": TapPoint("conv", relu=True)})(image)["map"]
    expected = F.relu(network.conv(image))
    assert torch.equal(caught, expected)
    weight = torch.rand_like(caught)
    gradients = [torch.autograd.grad((weight * x).sum(), image)[0] for x in (caught, expected)]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("name", ["tests.models.user_net:make", "timm:test_convnext", "timm:test_vit"])
def test_features_of_any_student_carry_gradients_to_its_first_layer(name):
    network, images = build(name, 3, image_size=64), torch.rand(2, 3, 64, 64)
    network.eval()
    tapped = Tapped(network, find_taps(network, images))
    network.train()
    first = next(p for p in network.parameters() if p.ndim == 4)
    for tap, value in tapped(images).items():
        (gradient,) = torch.autograd.grad(value.square().sum(), first, retain_graph=True)
        assert bool(gradient.any()), tap


def test_one_logit_is_two_and_an_output_with_logits_is_read():
    for network in (OneLogitNet(), CosineNet(2)):
        assert Tapped(network.eval(), {})(IMAGES)["logits"].shape == (2, 2)


@pytest.fixture
def small():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(768, 6), nn.ReLU(), nn.Linear(6, 3))


def test_a_layer_is_read_by_its_name(small):
    taps = Tapped(small, layer="2")(IMAGES)
    assert set(taps) == {"feature", "logits"}
    assert torch.equal(taps["feature"], small[:3](IMAGES))
    assert torch.equal(taps["logits"], small(IMAGES))
    taps["feature"].sum().backward()
    assert small[1].weight.grad.count_nonzero() > 0


def test_several_layers_are_read_by_name_and_at_their_input(small):
    taps = Tapped(small, layer="embedding=3:input,feature=1")(IMAGES)
    assert torch.equal(taps["embedding"], F.relu(taps["feature"]))
    assert torch.equal(taps["feature"], small[:2](IMAGES))


def test_a_layer_replaces_a_place_that_was_found(residual_net):
    network = residual_net().eval()
    points = find_taps(network, IMAGES)
    assert Tapped(network, points, layer="hidden")(IMAGES)["feature"].shape == (2, 6)
    assert set(Tapped(network, points, layer="hidden")(IMAGES)) == {"embedding", "feature", "logits", "map"}


def test_a_with_block_leaves_no_hook(small):
    with Tapped(small, layer="2") as tapped:
        assert hooks_on(small) == 1
        assert tapped.network is small
    assert hooks_on(small) == 0
    assert set(tapped(IMAGES)) == {"logits"}


class Branches(nn.Module):
    """One module that never runs, one that returns a tuple, and one that is called by a keyword."""

    def __init__(self):
        super().__init__()
        self.unused, self.pair, self.last = nn.Linear(768, 3), nn.LSTM(768, 3), nn.Identity()

    def forward(self, images):
        return self.last(input=self.pair(images.flatten(1))[0])


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("unused", "module 'unused' did not run"),
        ("pair", "output of the module 'pair' is a tuple, not a tensor"),
        ("last:input", "input of the module 'last' is a NoneType, not a tensor"),
    ],
)
def test_a_layer_that_gives_no_feature_is_an_error_that_names_it(layer, message):
    with pytest.raises(UsageError, match=f"tap 'feature': the {message}|tap 'feature': the .*{message}"):
        Tapped(Branches(), layer=layer)(IMAGES)


def test_an_unknown_layer_is_an_error_at_once(small):
    with pytest.raises(UsageError, match=r"tap 'feature'.*no module 'layer4'"):
        Tapped(small, layer="layer4")
    with pytest.raises(UsageError, match="write 2 for the module's output or 2:input"):
        Tapped(small, layer="2:middle")
    assert hooks_on(small) == 0
