"""Training a run of a fix, up to a step; its test set is not read."""

from __future__ import annotations

from pathlib import Path

from fairdistill.fixing import folder
from fairdistill.fixing.work import Samples
from fairdistill.runs import RunFolder
from fairdistill.training import Splits, TrainOptions, resume, train


def trained(out: Path, options: TrainOptions, samples: Samples, *, until: int) -> RunFolder:
    """Train a run up to a step, continue it, or take it as it is if it has come that far.

    ``model.safetensors`` in its folder then holds the weights that would be kept if it ended there.

    Args:
        out: the folder of the fix.
        options: of the run, whose folder is in there.
        samples: the images, which are loaded already.
        until: the step after which it pauses.
    """
    path = Path(str(options.out))
    name = str(path.relative_to(out))
    if folder.reached(out, name) >= until and (path / "model.safetensors").exists():
        return RunFolder.open(path)
    splits = Splits(samples.train, samples.validation, samples.test)
    if (path / "config.yaml").exists():
        run = resume(path, hold_test=True, until=until, splits=splits)
    else:
        run = train(options, hold_test=True, until=until, splits=splits)
    folder.record_reached(out, name, until)
    return run
