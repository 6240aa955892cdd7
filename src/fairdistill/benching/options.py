"""The options of a grid, checked: which runs, and who runs them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Literal

from fairdistill import methods, paper
from fairdistill.contract import check_seed, check_types
from fairdistill.errors import UsageError
from fairdistill.system.runtime import Precision
from fairdistill.training.options import Protocol

_ADDRESS = re.compile(r"auto|(ray://)?(\[[^\]]+\]|[^:/\s]+):\d+")


@dataclass(frozen=True, kw_only=True)
class BenchOptions:
    """A grid of runs, and how they are run."""

    methods: str = "all"
    """Rows, comma-separated, such as scratch,ss,mfd; all: the paper's twelve."""
    seeds: str = "0-3"
    """Run seeds, such as 0,1,2 or 0-7."""
    protocol: Protocol = "paper"
    """paper: the paper's own rules, for checking its tables; honest: the same steps for every row, chosen on validation
    data."""
    epochs: int | None = None
    """Budget of every row in passes over the training set; default 50."""
    steps: int | None = None
    """Budget of every row in optimizer steps, instead of --epochs; honest protocol alone."""
    teacher_epochs: int | None = None
    """Budget of the teachers, which a smaller budget of the rows does not shrink; default 50, or --epochs if that is
    more."""
    model: str | None = None
    """Network of teachers and students, as for train; default: the data set's."""
    data_root: str | None = field(default=None, metadata={"also": "--root"})
    """Folder with the data files; default: $FAIRDISTILL_DATA."""
    out: str | None = None
    """Folder of the grid; default: bench/DATA-PROTOCOL."""
    engine: Literal["local", "ray"] = "local"
    """local: processes of this machine. ray: a Ray cluster."""
    address: str | None = None
    """Ray cluster to join: auto (the one that this machine is part of), HOST:PORT or ray://HOST:PORT; default: one is
    started on this machine, and stopped at the end."""
    workers: int | None = None
    """Runs at a time; default: 1, with --engine ray as many as the cluster has room for. On the local engine they share
    the processor's threads, or the GPU."""
    cpus_per_run: float = 1
    """Processors that Ray keeps for a run, and the run's threads; default 1."""
    gpus_per_run: float = 0
    """GPUs that Ray keeps for a run, such as 0.25 for four runs a GPU; default 0, which computes on the processor."""
    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda or cuda:N."""
    precision: Precision = "auto"
    """auto: bfloat16 autocast where the processor has it in hardware, else float32."""
    compile: bool = False
    """Compile the students with torch.compile."""
    dry_run: bool = False
    """Say what would be run, and how long it may take, and stop."""

    def __post_init__(self) -> None:
        check_types(self)
        for name in ("epochs", "steps", "teacher_epochs", "workers"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"expected {name} to be at least 1, but got {value}")
        self._check_engine()
        if self.epochs is not None and self.steps is not None:
            raise UsageError(f"epochs={self.epochs} and steps={self.steps} exclude each other; give one")
        if self.steps is not None and self.protocol == "paper":
            raise UsageError(
                "--steps gives every row the same number of steps, which is what --protocol honest is; the paper's "
                "rules count in epochs of each method's own sampler: give --epochs"
            )
        _ = self.rows, self.run_seeds

    def _check_engine(self) -> None:
        given = {"--address": self.address is not None}
        given |= {"--cpus-per-run": self.cpus_per_run != 1, "--gpus-per-run": self.gpus_per_run != 0}
        for option, is_given in given.items():
            if is_given and self.engine != "ray":
                raise UsageError(f"{option} is for a Ray cluster; add --engine ray")
        if self.address is not None and not _ADDRESS.fullmatch(self.address):
            raise UsageError(f"expected --address auto, HOST:PORT or ray://HOST:PORT, but got {self.address!r}")
        if not (math.isfinite(self.cpus_per_run) and self.cpus_per_run > 0):
            raise UsageError(f"expected cpus_per_run to be positive, but got {self.cpus_per_run}")
        gpus = self.gpus_per_run
        if not (math.isfinite(gpus) and gpus >= 0) or (gpus > 1 and gpus != int(gpus)):
            raise UsageError(f"expected gpus_per_run to be a share of a GPU or a whole number of them, but got {gpus}")
        if self.engine == "ray" and self.device not in ("auto", self.run_device):
            raise UsageError(
                f"--device {self.device} does not go with --engine ray, where a run computes on the GPUs of its "
                f"--gpus-per-run, here {gpus:g}, or on the processor if that is 0; leave --device out"
            )

    @property
    def run_device(self) -> str:
        """The device of every run; on a cluster what Ray keeps for it decides, not what a machine has."""
        if self.engine == "local":
            return self.device
        return "cuda" if self.gpus_per_run else "cpu"

    @property
    def rows(self) -> tuple[str, ...]:
        """The rows by their canonical names, each once, in the paper's order."""
        if self.methods.strip() == "all":
            return paper.ROWS
        named = [methods.canonical(name) for name in self.methods.split(",")]
        return tuple(dict.fromkeys([*(row for row in paper.ROWS if row in named), *named]))

    @property
    def run_seeds(self) -> tuple[int, ...]:
        """The seeds, each once, as given."""
        found: list[int] = []
        for part in self.seeds.split(","):
            first, dash, last = part.strip().partition("-")
            if not first.isdecimal() or (dash and not last.isdecimal()):
                raise UsageError(f"expected seeds such as 0,1,2 or 0-7, but got {self.seeds!r}")
            found += range(int(first), int(last) + 1) if dash else [int(first)]
        if not found:
            raise UsageError(f"expected seeds such as 0,1,2 or 0-7, but got {self.seeds!r}, which is none")
        for seed in found:
            check_seed("seeds", seed)
        return tuple(dict.fromkeys(found))
