"""The fuzzers by name."""

from __future__ import annotations

from tests.fuzzing.configurations import Configurations
from tests.fuzzing.images import Images
from tests.fuzzing.kind import Kind
from tests.fuzzing.models import Models
from tests.fuzzing.predictions import ManyPredictions
from tests.fuzzing.run_folders import RunFolders
from tests.fuzzing.tables import Tables

KINDS: dict[str, type[Kind]] = {
    "tables": Tables,
    "configurations": Configurations,
    "run folders": RunFolders,
    "predictions": ManyPredictions,
    "images": Images,
    "models": Models,
}
