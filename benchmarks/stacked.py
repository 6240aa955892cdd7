"""Several six-layer networks in one training step: one after another, as one grouped network, and under vmap.

    python -m benchmarks.stacked [--networks N] [--rounds N] [--threads N] [--device cpu|cuda]

Each network has weights, images and an optimizer state of its own, as runs with different seeds have: batches of 120
random images of 32 x 32 in 10 classes, cross-entropy, dropout, Adam, bfloat16 where the processor has it. The grouped
network has the weights of all in grouped convolutions and batched products; vmap is torch.func's transformation of one
network. A ratio below 1 means that stacking is faster than one after another.
"""

from __future__ import annotations

import argparse
import copy
import sys
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state
from torch.nn import functional as F

from benchmarks.timing import hardware, interleaved, median_and_quartiles, ratio
from fairdistill.models import cifar_net
from fairdistill.models.layout import to_device
from fairdistill.system.memory import keep_freed_memory
from fairdistill.system.runtime import Runtime, choose_runtime

BATCH, CLASSES = 120, 10
Step = Callable[[], None]


class Grouped(nn.Module):
    """S networks of :func:`~fairdistill.models.cifar_net` in one: images ``[N, S * 3, 32, 32]`` to ``[S, N, C]``."""

    def __init__(self, networks: list[nn.Module]) -> None:
        super().__init__()
        self.number = len(networks)
        stages = [network.get_submodule("stages").children() for network in networks]
        self.stages = nn.Sequential(*(_grouped(same) for same in zip(*stages, strict=True)))
        for name in ("hidden", "output"):
            linear = [network.get_submodule(name) for network in networks]
            weights = torch.stack([layer.get_parameter("weight").detach().T for layer in linear])
            biases = torch.stack([layer.get_parameter("bias").detach().unsqueeze(0) for layer in linear])
            self.register_parameter(f"{name}_weight", nn.Parameter(weights))
            self.register_parameter(f"{name}_bias", nn.Parameter(biases))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of each network."""
        maps = self.stages(images)
        features = maps.unflatten(1, (self.number, -1)).transpose(0, 1).flatten(2)
        hidden = F.relu(torch.baddbmm(self.get_parameter("hidden_bias"), features, self.get_parameter("hidden_weight")))
        return torch.baddbmm(self.get_parameter("output_bias"), hidden, self.get_parameter("output_weight"))


def _grouped(layers: Sequence[nn.Module]) -> nn.Module:
    first = layers[0]
    if not isinstance(first, nn.Conv2d):
        return copy.deepcopy(first)
    number = len(layers)
    conv = nn.Conv2d(number * first.in_channels, number * first.out_channels, 3, padding=1, groups=number)
    with torch.no_grad():
        conv.weight.copy_(torch.cat([layer.get_parameter("weight") for layer in layers]))
        assert conv.bias is not None
        conv.bias.copy_(torch.cat([layer.get_parameter("bias") for layer in layers]))
    return conv


def one_after_another(networks: list[nn.Module], images: Tensor, labels: Tensor, runtime: Runtime) -> Step:
    """Return a step that trains each network by itself; images are ``[S, N, 3, 32, 32]``, labels ``[S, N]``."""
    optimizers = [torch.optim.Adam(network.parameters(), fused=True) for network in networks]
    batches = [each.contiguous(memory_format=torch.channels_last) for each in images]

    def step() -> None:
        for network, optimizer, batch, truth in zip(networks, optimizers, batches, labels, strict=True):
            optimizer.zero_grad()
            with runtime.autocast():
                loss = F.cross_entropy(network(batch), truth)
            loss.backward()
            optimizer.step()

    return step


def grouped(networks: list[nn.Module], images: Tensor, labels: Tensor, runtime: Runtime) -> Step:
    """Return the same step of all networks as one grouped network."""
    network = Grouped(networks).train()
    to_device(network, images.device)
    batch = images.transpose(0, 1).flatten(1, 2).contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), fused=True)

    def step() -> None:
        optimizer.zero_grad()
        with runtime.autocast():
            loss = F.cross_entropy(network(batch).flatten(0, 1), labels.flatten(), reduction="sum") / BATCH
        loss.backward()
        optimizer.step()

    return step


def mapped(networks: list[nn.Module], images: Tensor, labels: Tensor, runtime: Runtime) -> Step:
    """Return the same step of all networks under ``torch.vmap``."""
    weights, _ = stack_module_state(networks)
    one = copy.deepcopy(networks[0])
    optimizer = torch.optim.Adam(weights.values(), fused=True)

    def loss_of(weights: dict[str, Tensor], batch: Tensor, truth: Tensor) -> Tensor:
        return F.cross_entropy(functional_call(one, weights, (batch,)), truth)

    losses_of = torch.vmap(loss_of, randomness="different")

    def step() -> None:
        optimizer.zero_grad()
        with runtime.autocast():
            loss = losses_of(weights, images, labels).sum()
        loss.backward()
        optimizer.step()

    return step


def check_equal(networks: list[nn.Module], images: Tensor) -> None:
    """Check that the grouped network computes what the others do, without dropout and in float32."""
    together = Grouped(networks).to(images.device).eval()
    with torch.no_grad():
        alone = torch.stack([network.eval()(batch) for network, batch in zip(networks, images, strict=True)])
        torch.testing.assert_close(together(images.transpose(0, 1).flatten(1, 2)), alone, rtol=1e-3, atol=1e-4)
    for network in networks:
        network.train()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    keep_freed_memory()
    runtime = choose_runtime(given.device, "auto")
    device, number = runtime.device, given.networks
    networks: list[nn.Module] = [cifar_net(CLASSES).train() for _ in range(number)]
    for network in networks:
        to_device(network, device)
    images = torch.rand(number, BATCH, 3, 32, 32, device=device)
    labels = torch.randint(CLASSES, (number, BATCH), device=device)
    check_equal(networks, images)
    of_group = grouped(networks, images, labels, runtime)
    of_map = mapped(networks, images, labels, runtime)
    of_each = one_after_another(networks, images, labels, runtime)

    def whole(step: Step) -> Step:
        def run() -> None:
            step()
            if device.type == "cuda":
                torch.cuda.synchronize()

        return run

    tasks = {"one after another": whole(of_each), "grouped": whole(of_group), "vmap": whole(of_map)}
    times = interleaved(tasks, rounds=given.rounds)
    print(f"{hardware()}; {given.rounds} rounds, {number} networks, batches of {BATCH}")
    for name, seconds in times.items():
        middle, low, high = (1000 * value for value in median_and_quartiles(seconds))
        share, below, above = ratio(seconds, times["one after another"])
        print(f"{name:<20}{middle:>9.1f} ms [{low:.1f}, {high:.1f}]{share:>8.2f} [{below:.2f}, {above:.2f}]")
    return 0


if __name__ == "__main__":
    sys.exit(main())
