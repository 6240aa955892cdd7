"""Own code that has changed while a run was stopped: said, and recorded with the step."""

from __future__ import annotations

from fairdistill.text.lists import joined
from fairdistill.training.progress.active_run import ActiveRun


def note_changed_code(run: ActiveRun) -> None:
    """Say which files of the user's own code differ from those that trained a run so far, and record the present ones.

    A file that changed at step 120 is recorded as ``HASH, from step 120 HASH``, so tables tell the run from others.
    Runs that are older than the record have none.

    Args:
        run: a run that is about to go on from its checkpoint, or from the start if it has none.
    """
    environment, step = run.folder.environment, run.progress.step
    if "code" not in environment:
        return
    then, now = environment["code"], {}
    for file, digest in run.setup.code.items():
        kept = then.get(file, digest).partition(f", from step {step} ")[0]  # what came of that was not saved
        now[file] = digest if not step or kept.endswith(digest) else f"{kept}, from step {step} {digest}"
    if now == then or not run.setup.world.first:
        return
    run.folder.write_json("environment.json", {**environment, "code": now})
    changed = [file for file, digest in now.items() if digest.endswith(f", from step {step} {run.setup.code[file]}")]
    if changed:
        run.console.say(
            f"{joined(changed)} changed after the run was started: its new code trains the steps from {step} on; to "
            "train all steps with it, start again with another --out"
        )
