"""Options of every command that reads a trained model, and of those that run it on images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fairdistill.contract import check_at_least_one, check_types
from fairdistill.system.precision import Precision
from fairdistill.system.threads import ThreadCount, check_threads


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """Model file and input."""

    model: str | None = None
    """Network of a weights file, named as for train --model."""
    weights_key: str | None = None
    """Key of the weights in a file with several, for example state_dict_ema."""
    model_size: int | None = None
    """Height and width of the model's input; default: as stored in its file or in a config.json beside it, else that
    of the data (224 for your own images)."""
    model_mean: str | None = None
    """Channel means of the model's input; default: as for its size."""
    model_std: str | None = None
    """Channel standard deviations of the model's input; default: as for its mean."""
    model_input: str | None = None
    """How images become the model's input, for example center:256,bicubic. Words: whole, center:SHORT or square:SIZE;
    nearest, bilinear, bicubic, lanczos, box or hamming; antialias or aliased; rounded or floor (where a center begins);
    rgb or bgr. Default: as for its size, else whole,bilinear,antialias,rgb."""
    model_outputs: Literal["auto", "logits", "probabilities"] = "auto"
    """What the model's outputs are; auto: find out by running it."""


@dataclass(frozen=True, kw_only=True)
class RunningOptions(ModelOptions):
    """Running the model."""

    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda or cuda:N."""
    precision: Precision = "auto"
    """float32, bfloat16 (autocast), or auto: bfloat16 where the processor supports it in hardware, else float32."""
    threads: ThreadCount = "auto"
    """CPU threads that run the model: a number, or auto: PyTorch's choice."""

    def __post_init__(self) -> None:
        check_types(self)
        check_at_least_one(self, "model_size")
        check_threads(self.threads)
