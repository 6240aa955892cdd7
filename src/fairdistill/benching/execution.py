"""One job, from wherever it stands to its end."""

from __future__ import annotations

import sys

from fairdistill.benching.jobs import Job
from fairdistill.errors import FairdistillError
from fairdistill.runs import RunFolder


def run_job(job: Job) -> str | None:
    """Train a job, or go on with it; return the error of one that failed."""
    from fairdistill.training import resume, train

    try:
        if (job.path / "config.yaml").exists():
            # The run may have begun on another machine, or its grid may have been moved since.
            RunFolder.open(job.path).move(job.places)
            resume(job.path, quiet=True)
        else:
            train(job.options, quiet=True)
    except Exception as error:  # a failure of one run is no reason to lose the others
        if not isinstance(error, FairdistillError):
            print(f"fairdistill: {job.path.name}: {reason(error)}", file=sys.stderr)
        return reason(error)
    return None


def reason(error: Exception) -> str:
    """Return what an error says, and its type if it is none of ours."""
    return str(error) if isinstance(error, FairdistillError) else f"{type(error).__name__}: {error}"
