"""The result of ``doctor``."""

from __future__ import annotations

from dataclasses import dataclass

from fairdistill.contract import Result


@dataclass(frozen=True, kw_only=True)
class Package(Result):
    """An installed package; ``version`` is None if it is missing, and ``problem`` says why it cannot be used."""

    name: str
    version: str | None
    problem: str | None


@dataclass(frozen=True, kw_only=True)
class Extra(Result):
    """Packages that only some commands or models need.

    Attributes:
        name: of the extra.
        purpose: what needs it.
        packages: what it consists of.
        install: the line that installs it; None if nothing is missing.
    """

    name: str
    purpose: str
    packages: tuple[Package, ...]
    install: str | None


@dataclass(frozen=True, kw_only=True)
class DoctorResult(Result):
    """What is installed here.

    Attributes:
        fairdistill: its version.
        python: the version.
        platform: the operating system.
        device: what ``--device auto`` takes; None if PyTorch cannot be used.
        precision: what ``--precision auto`` computes in there.
        processors: the CPUs that this process may use.
        threads: the CPU threads that PyTorch takes.
        data_root: $FAIRDISTILL_DATA, None if it is not set.
        image_cache: where decoded images are kept.
        packages: what every command needs.
        extras: what some need.
    """

    fairdistill: str
    python: str
    platform: str
    device: str | None
    precision: str | None
    processors: int
    threads: int | None
    data_root: str | None
    image_cache: str
    packages: tuple[Package, ...]
    extras: tuple[Extra, ...]
