"""Training: options in, a finished run folder out."""

from fairdistill.training.loop import Watch, resume, train
from fairdistill.training.options import TrainOptions
from fairdistill.training.stopping import Interrupted

__all__ = ["Interrupted", "TrainOptions", "Watch", "resume", "train"]
