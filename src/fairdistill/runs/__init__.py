"""The run folder, the only record of a run."""

from __future__ import annotations

from fairdistill.runs.creation import check_new_folder, new_folder
from fairdistill.runs.files import (
    finite_or_null,
    json_pieces,
    json_text,
    nearest_existing,
    read_json,
    resume_command,
    write_bytes,
    write_json,
    write_text,
)
from fairdistill.runs.folder import FORMAT_VERSION, RunFolder
from fairdistill.runs.inputs import check_no_input
from fairdistill.runs.later_options import without_defaults

__all__ = [
    "FORMAT_VERSION", "RunFolder", "check_new_folder", "check_no_input", "finite_or_null", "json_pieces", "json_text",
    "nearest_existing", "new_folder", "read_json", "resume_command", "without_defaults", "write_bytes",
    "write_json", "write_text",
]  # fmt: skip
