"""Running one job to its end, from wherever it stands."""

from __future__ import annotations

from fairdistill.benching.folder import told_how_to_repeat
from fairdistill.benching.jobs import Job
from fairdistill.errors import FairdistillError
from fairdistill.runs import RunFolder
from fairdistill.text.telling import tell

TAKEN = "another process has started it"
"""In place of an error: the job is left to a process that runs the same grid."""


def run_job(job: Job) -> str | None:
    """Train a job, or resume it; return the error if it failed, or :data:`TAKEN`."""
    with job.held() as mine:
        return _run(job) if mine else TAKEN


def _run(job: Job) -> str | None:
    from fairdistill.methods import parts
    from fairdistill.models import trust_code
    from fairdistill.training import code_of, resume, train

    trust_code(job.options.model, job.options.teacher_model, job.options.teacher, *parts(job.row))
    here = code_of(job.options)
    if apart := [file for file, digest in job.code.items() if here.get(file) != digest]:
        return (
            f"{' and '.join(apart)} differs from when the grid was planned; run the same command again, on a cluster "
            "with the same file on every machine"
        )
    try:
        with told_how_to_repeat(job.path):
            if (job.path / "config.yaml").exists():
                # The run may have started on another machine, or its grid may have been moved since.
                RunFolder.open(job.path).move(job.places)
                resume(job.path, quiet=True)
            else:
                train(job.options, quiet=True)
    except Exception as error:  # one failed run must not stop the others
        if not isinstance(error, FairdistillError):
            tell(f"fairdistill: {job.path.name}: {reason(error)}")
        return reason(error)
    return None


def reason(error: Exception) -> str:
    """Return the text of an error, with its type if it is not one of ours."""
    return str(error) if isinstance(error, FairdistillError) else f"{type(error).__name__}: {error}"
