"""Loggers: TensorBoard, Weights & Biases or MLflow, as functions that get the rows of a run's log."""

from fairdistill.tracking.logger import Logger, LoggerName, check_logger, logged

__all__ = ["Logger", "LoggerName", "check_logger", "logged"]
