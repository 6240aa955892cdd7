"""What every command shares: checked options in, one frozen result out."""

from __future__ import annotations

from fairdistill.contract.checks import (
    Location,
    check_at_least_one,
    check_named,
    check_new_file,
    check_seed,
    check_share,
    check_types,
    given_path,
    is_address,
    listed_paths,
    required_type,
)
from fairdistill.contract.faces import lazy_face
from fairdistill.contract.former import former_names, present_names
from fairdistill.contract.options import check_options, groups_of, split_keywords, with_keywords
from fairdistill.contract.results import Result, key

__all__ = [
    "Location", "Result", "check_at_least_one", "check_named", "check_new_file", "check_options", "check_seed",
    "check_share", "check_types", "former_names", "given_path", "groups_of", "is_address", "key", "lazy_face",
    "listed_paths", "present_names", "required_type", "split_keywords", "with_keywords",
]  # fmt: skip
