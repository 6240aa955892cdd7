"""Networks by name, their named features, the frozen teacher and the projector."""

from __future__ import annotations

from fairdistill.models.conv_net import cifar_net, digit_net
from fairdistill.models.features.discovery import find_taps
from fairdistill.models.features.taps import Tapped, TapPoint, parse_taps
from fairdistill.models.files.weights import load_weights, open_weights, read_weights, weights_digest
from fairdistill.models.head import head_name, with_two_outputs
from fairdistill.models.initial import dirac_weights, he_weights, whiten
from fairdistill.models.last_layer.finding import find_last_layer
from fairdistill.models.outputs import class_logits
from fairdistill.models.programs.exported import ExportedNetwork, load_program
from fairdistill.models.teacher import Teacher
from fairdistill.models.trust import check_program, runs_code, trust_code
from fairdistill.models.zoo import NETWORKS, build, is_own_code, split_name

__all__ = [
    "NETWORKS", "ExportedNetwork", "TapPoint", "Tapped", "Teacher", "build", "check_program", "cifar_net",
    "class_logits", "digit_net", "dirac_weights", "find_last_layer", "find_taps", "he_weights", "head_name",
    "is_own_code", "load_program", "load_weights", "open_weights", "parse_taps", "read_weights", "runs_code",
    "split_name", "trust_code", "weights_digest", "whiten", "with_two_outputs",
]  # fmt: skip
