"""Running a trained model on images, with or without labels."""

from __future__ import annotations

from fairdistill.predicting.options import PredictOptions
from fairdistill.predicting.predict import predict
from fairdistill.predicting.result import PredictedClass, PredictResult, SkippedImage

__all__ = ["PredictOptions", "PredictResult", "PredictedClass", "SkippedImage", "predict"]
