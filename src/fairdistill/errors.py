"""The errors that a user can cause. Every message says what to do about it.

    FairdistillError
    ├── UsageError (also ValueError)      a bad option, name or combination
    │   ├── MethodError                   an impossible sum of methods, an unknown setting
    │   ├── TeacherError                  a teacher with unsuitable classes, input or features
    │   └── LastLayerError                no last layer that can be changed
    ├── DataError (also ValueError)       a missing, corrupt or unsuitable data file
    │   └── ChecksumError                 a file that differs from the published one
    ├── RunFolderError                    a run folder that exists, is in use, or is not a run folder
    ├── ResourceError                     the machine gave out: a full disk, no memory
    └── TrainingError                     training stopped with an error
        ├── NonFiniteLossError            a loss part became infinite or NaN
        ├── Interrupted                   Ctrl-C in a run; lives in fairdistill.training, since it knows the run
        └── Stopped                       Ctrl-C in fix or tune, which have several runs; lives there, too

The command line prints the message of any of them without a traceback. It exits with 4 for a ``TrainingError``, with
74 for a ``ResourceError`` and with 2 for all others; docs/reliability.md lists every exit code.
"""

from __future__ import annotations

import errno

from fairdistill.escaping import brief


class FairdistillError(Exception):
    """Any error that fairdistill raises on purpose; its text fits on a screen, whatever the file holds."""

    def __str__(self) -> str:
        return brief(super().__str__())


class UsageError(FairdistillError, ValueError):
    """An invalid option, name or combination of options."""


class MethodError(UsageError):
    """An unknown method or setting, or a sum of methods that do not fit together."""


class TeacherError(UsageError):
    """A teacher that does not fit the data or the student."""


class LastLayerError(UsageError):
    """A network has no last layer that can be changed on its own."""


class DataError(FairdistillError, ValueError):
    """A data file that is missing, corrupt or unsuitable."""


class ChecksumError(DataError):
    """A file whose checksum differs from the published one."""


class RunFolderError(FairdistillError):
    """A run folder that already exists, is in use, or does not hold a run."""


class ResourceError(FairdistillError):
    """The machine gave out: its disk is full, a file-size limit is reached, or there is no memory left.

    Nothing is wrong with the input: the same command works once there is room.
    """


class TrainingError(FairdistillError):
    """Training started but could not continue."""


class NonFiniteLossError(TrainingError):
    """A part of the loss became infinite or NaN; the message names it and the step."""


def forbidden(error: OSError) -> bool:
    """Return whether one may not write there: without the permission, or on a read-only file system."""
    return isinstance(error, PermissionError) or error.errno == errno.EROFS
