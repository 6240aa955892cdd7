"""How close two results of one dtype have to be."""

import torch

TOLERANCES = {
    torch.float64: {"rtol": 1e-9, "atol": 1e-11},
    torch.float32: {"rtol": 1e-4, "atol": 1e-6},
    torch.bfloat16: {"rtol": 2**-7, "atol": 1e-5},  # one unit in the last place
}
