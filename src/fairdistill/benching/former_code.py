"""Finished runs of a grid's methods from before a change of the user's own code."""

from __future__ import annotations

from fairdistill.benching.jobs import Grid
from fairdistill.methods import folder_name
from fairdistill.runs import RunFolder


def runs_of_former_code(grid: Grid) -> str | None:
    """Return in words how many runs were made with other code than their jobs now have; None if there are none."""
    named = {f"{folder_name(job.row)}-seed{job.seed}": job.code for job in grid.jobs if job.code}
    current = {job.path.name for job in grid.jobs}
    number, changed = 0, dict[str, str]()
    for path in sorted(grid.path.iterdir()) if named and grid.path.is_dir() else []:
        now = named.get(path.name.rpartition("-")[0])
        if now is None or path.name in current or not (path / "result.json").exists():
            continue
        then = RunFolder.open(path).environment.get("code", {})
        apart = {file: digest for file, digest in now.items() if then.get(file) != digest}
        number, changed = number + bool(apart), changed | apart
    if not number:
        return None
    files = ", ".join(f"{file}={digest}" for file, digest in changed.items())
    code = f"made with another version of your own code (now {files})"
    if number == 1:
        return f"1 finished run was {code}; it stays in the table, in a row of its own"
    return f"{number:,} finished runs were {code}; they stay in the table, in rows of their own"
