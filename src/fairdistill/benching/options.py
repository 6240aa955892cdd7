"""The options of ``bench``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from fairdistill import paper
from fairdistill.contract import check_at_least_one, check_seed, check_types
from fairdistill.errors import UsageError
from fairdistill.system.precision import Precision
from fairdistill.tracking import LoggerName
from fairdistill.training import PROTOCOLS, ProtocolName, RecipeName

_ADDRESS = re.compile(r"auto|(ray://)?(\[[^\]]+\]|[^:/\s]+):\d+")


@dataclass(frozen=True, kw_only=True)
class GridOptions:
    """Grid."""

    methods: str = "all"
    """Methods, comma-separated, for example scratch,ss,mfd; MODULE:NAME for one of your own code; all: the paper's
    twelve."""
    seeds: str = "0-3"
    """Seeds of the runs, for example 0,1,2 or 0-7."""
    protocol: ProtocolName = "paper"
    """paper: the paper's own rules, for reproducing its tables; honest: the same number of steps for every method, with
    checkpoints chosen on validation data."""
    recipe: RecipeName = "default"
    """Recipe of teachers and students, as for train --recipe; fast: honest protocol only."""
    epochs: int | None = None
    """Budget of each run in passes over the training set; default 50."""
    steps: int | None = None
    """Budget of each run in optimizer steps, instead of --epochs; honest protocol only."""
    teacher_epochs: int | None = None
    """Budget of the teachers, which does not shrink with the budget of the other runs; default 50, or --epochs if that
    is more."""
    model: str | None = None
    """Network of teachers and students, named as for train --model; default: the data set's."""
    data_root: str | None = field(default=None, metadata={"also": "--root"})
    """Folder with the data files; default: $FAIRDISTILL_DATA."""
    data_options: Mapping[str, Any] = field(default_factory=dict)
    """The data set's own options, for example skew."""
    logger: LoggerName | None = None
    """Also send every row of each run's log.jsonl, and its result, to tensorboard (in its run folder), wandb or mlflow.
    """
    out: str | None = None
    """Folder of the grid; default: bench/DATA-PROTOCOL, or bench/DATA-PROTOCOL-RECIPE."""

    @property
    def rows(self) -> tuple[str, ...]:
        """The methods by their canonical names, each once, in the paper's order."""
        if self.methods.strip() == "all":
            return paper.ROWS
        from fairdistill import methods  # loads PyTorch, which the help does not need

        named = [methods.canonical(name) for name in self.methods.split(",")]
        return tuple(dict.fromkeys([*(row for row in paper.ROWS if row in named), *named]))

    @property
    def run_seeds(self) -> tuple[int, ...]:
        """The seeds, each once, in the order given."""
        found: list[int] = []
        for part in self.seeds.split(","):
            first, dash, last = part.strip().partition("-")
            if not first.isdecimal() or (dash and not last.isdecimal()):
                raise UsageError(f"expected seeds to look like 0,1,2 or 0-7, but got {self.seeds!r}")
            found += range(int(first), int(last) + 1) if dash else [int(first)]
        if not found:
            raise UsageError(f"expected seeds to look like 0,1,2 or 0-7, but {self.seeds!r} contains no seed")
        for seed in found:
            check_seed("seeds", seed)
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True, kw_only=True)
class EngineOptions:
    """Execution."""

    engine: Literal["local", "ray"] = "local"
    """local: processes on this machine. ray: a Ray cluster."""
    address: str | None = None
    """Ray cluster to join: auto (the one this machine belongs to), HOST:PORT or ray://HOST:PORT; default: start one on
    this machine and stop it at the end."""
    workers: int | None = None
    """Number of concurrent runs; default: 1, or with --engine ray as many as fit on the cluster. With the local engine
    they share the CPU threads, or the GPU."""
    cpus_per_run: float = 1
    """CPUs that Ray reserves for each run, which is also the run's number of threads; default 1."""
    gpus_per_run: float = 0
    """GPUs that Ray reserves for each run, for example 0.25 for four runs per GPU; default 0: train on the CPU."""


@dataclass(frozen=True, kw_only=True)
class ComputeOptions:
    """Device and precision."""

    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda or cuda:N."""
    precision: Precision = "auto"
    """float32, bfloat16 (autocast), or auto: bfloat16 where the processor supports it in hardware, else float32."""
    compile: bool = False
    """Compile the students with torch.compile."""
    cuda_graph: bool = False
    """Record the students' steps as CUDA graphs and replay them."""


@dataclass(frozen=True, kw_only=True)
class BenchOptions(ComputeOptions, EngineOptions, GridOptions):
    """Options of a grid: its methods and seeds, the budget of its runs, and where they run.

    Raises:
        UsageError: if a value is out of range, or options exclude each other.

    Example:
        >>> BenchOptions(methods="scratch,ss,mfd", seeds="0-1").run_seeds
        (0, 1)
    """

    heading: ClassVar[str] = "Dry run"

    dry_run: bool = False
    """Show the runs of the grid and how long they may take, without running them."""

    def __post_init__(self) -> None:
        check_types(self)
        check_at_least_one(self, "epochs", "steps", "teacher_epochs", "workers")
        self._check_engine()
        self._check_resources()
        if self.epochs is not None and self.steps is not None:
            raise UsageError(f"epochs={self.epochs} and steps={self.steps} exclude each other; give only one")
        if self.steps is not None and not PROTOCOLS[self.protocol].equal_steps:
            raise UsageError(
                "--steps gives every method the same number of steps, but the paper's rules count epochs of each "
                "method's own sampler; use --epochs or --protocol honest"
            )
        if self.recipe != "default" and self.protocol == "paper":
            raise UsageError(
                f"--recipe {self.recipe} changes what the paper trained, so --protocol paper refuses it; add "
                "--protocol honest"
            )
        _ = self.rows, self.run_seeds

    def _check_engine(self) -> None:
        given = {"--address": self.address is not None}
        given |= {"--cpus-per-run": self.cpus_per_run != 1, "--gpus-per-run": self.gpus_per_run != 0}
        for option, is_given in given.items():
            if is_given and self.engine != "ray":
                raise UsageError(f"{option} is only for a Ray cluster; add --engine ray")
        if self.address is not None and not _ADDRESS.fullmatch(self.address):
            raise UsageError(f"expected --address auto, HOST:PORT or ray://HOST:PORT, but got {self.address!r}")

    def _check_resources(self) -> None:
        if not (math.isfinite(self.cpus_per_run) and self.cpus_per_run > 0):
            raise UsageError(f"expected cpus_per_run to be positive, but got {self.cpus_per_run}")
        gpus = self.gpus_per_run
        if not (math.isfinite(gpus) and gpus >= 0) or (gpus > 1 and gpus != int(gpus)):
            raise UsageError(f"expected gpus_per_run to be a fraction of a GPU or a whole number, but got {gpus}")
        if self.engine == "ray" and self.device not in ("auto", self.run_device):
            raise UsageError(
                f"--device {self.device} conflicts with --engine ray, where --gpus-per-run {gpus:g} decides whether a "
                "run uses a GPU; drop --device"
            )

    @property
    def run_device(self) -> str:
        """The device of every run; on a cluster it depends on what Ray reserves, not on what a machine has."""
        if self.engine == "local":
            return self.device
        return "cuda" if self.gpus_per_run else "cpu"
