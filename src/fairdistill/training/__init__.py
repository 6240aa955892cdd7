"""Training: options in, a finished run folder out."""

from fairdistill.training.loop import Interrupted, resume, train
from fairdistill.training.options import TrainOptions

__all__ = ["Interrupted", "TrainOptions", "resume", "train"]
