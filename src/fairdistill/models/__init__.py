"""Networks by name, their named features, the frozen teacher and the projector."""

from __future__ import annotations

from fairdistill.losses.projector import Projector
from fairdistill.models.conv_net import cifar_net, digit_net
from fairdistill.models.discovery import find_taps
from fairdistill.models.exported import ExportedNetwork, load_program
from fairdistill.models.outputs import class_logits
from fairdistill.models.taps import Tapped, TapPoint, parse_taps
from fairdistill.models.teacher import Teacher
from fairdistill.models.weights import load_weights, read_weights
from fairdistill.models.zoo import NETWORKS, build, split_name

__all__ = [
    "NETWORKS", "ExportedNetwork", "Projector", "TapPoint", "Tapped", "Teacher", "build", "cifar_net", "class_logits",
    "digit_net", "find_taps", "load_program", "load_weights", "parse_taps", "read_weights", "split_name",
]  # fmt: skip
