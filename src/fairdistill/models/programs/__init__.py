"""Complete programs: networks of `torch.export`, TorchScript and ONNX, which need none of their code."""
