"""The errors a user can cause, each with the way out in its text.

    FairdistillError
    ├── UsageError (also ValueError)      a bad option, name or combination
    │   ├── MethodError                   a sum of methods that cannot work, an unknown term setting
    │   └── TeacherError                  a teacher whose classes, input or features do not fit
    ├── DataError (also ValueError)       a missing, corrupt or unsuitable data file
    │   └── ChecksumError                 a file that is not the one its publisher signed
    ├── RunFolderError                    a run folder that exists, is in use, or is not one
    └── TrainingError                     training itself did not go on
        ├── NonFiniteLossError            a loss part became infinite or NaN
        └── Interrupted                   Ctrl-C; lives in fairdistill.training, since it knows the run

The command line prints the text of any of them without a traceback. It exits with 2 for what the
user wrote or gave, and with 1 for a ``TrainingError``.
"""

from __future__ import annotations


class FairdistillError(Exception):
    """Any error that fairdistill raises on purpose."""


class UsageError(FairdistillError, ValueError):
    """An option, a name or a combination of them that cannot be used."""


class MethodError(UsageError):
    """A method, a sum of methods or a term's setting that does not exist or does not fit together."""


class TeacherError(UsageError):
    """A teacher that does not fit the data or the student."""


class DataError(FairdistillError, ValueError):
    """A data file that is missing, corrupt or unsuitable."""


class ChecksumError(DataError):
    """A file whose checksum differs from the published one."""


class RunFolderError(FairdistillError):
    """A run folder that exists already, is in use, or does not hold a run."""


class TrainingError(FairdistillError):
    """Training started and could not go on."""


class NonFiniteLossError(TrainingError):
    """A named part of the loss became infinite or NaN at a known step."""
