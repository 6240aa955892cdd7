from __future__ import annotations

import pytest
import torch

from fairdistill.errors import UsageError
from fairdistill.system.runtime import Runtime, choose_runtime, has_bfloat16

CPU = torch.device("cpu")
IN_HARDWARE = {"avx512_bf16": False, "amx_bf16": True}


@pytest.mark.parametrize(("precision", "dtype"), [("float32", torch.float32), ("bfloat16", torch.bfloat16)])
def test_the_networks_compute_in_the_chosen_precision(precision, dtype):
    runtime = choose_runtime("cpu", precision)
    with runtime.autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype
    assert runtime == Runtime(CPU, dtype)


@pytest.mark.parametrize(("threads", "said"), [(1, "cpu (1 thread), float32"), (2, "cpu (2 threads), float32")])
def test_the_processor_is_named_with_its_threads(monkeypatch, threads, said):
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert str(choose_runtime("cpu", "float32")) == said


@pytest.mark.parametrize(
    ("capabilities", "dtype"),
    [(IN_HARDWARE, torch.bfloat16), ({"avx2": True}, torch.float32), ({}, torch.float32)],
)
def test_auto_takes_bfloat16_only_where_the_processor_has_it(monkeypatch, capabilities, dtype):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert choose_runtime("cpu", "auto").dtype == dtype


def test_an_older_torch_that_cannot_tell_computes_in_float32(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert not has_bfloat16(CPU)


def test_auto_is_the_cpu_where_there_is_no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_runtime("auto", "float32").device == CPU


@pytest.mark.parametrize("device", ["banana", "cpu:banana", "cuda:999", ""])
def test_a_device_that_is_not_there_is_named(device):
    with pytest.raises(UsageError, match=f"cannot use device '{device}'.*choose auto, cpu or cuda"):
        choose_runtime(device, "float32")
