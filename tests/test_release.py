"""What a release says of itself, in every place that says it."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
import yaml

import fairdistill

ROOT = Path(__file__).parents[1]
RELEASES = re.findall(r"^## (\S+) \((\d{4}-\d\d-\d\d)\)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def test_the_citation_is_of_the_last_release():
    assert RELEASES[:1] == [(CITATION["version"], str(CITATION["date-released"]))]


def test_the_version_is_that_release_or_leads_to_the_next():
    version = fairdistill.__version__
    if "dev" in version:
        assert version.partition(".dev")[0] not in [release for release, _ in RELEASES]
    else:
        assert version == RELEASES[0][0]


def test_releases_are_in_order():
    days = [date.fromisoformat(day) for _, day in RELEASES]
    assert days == sorted(days, reverse=True)


@pytest.mark.skipif("dev" in fairdistill.__version__, reason="this version is not released")
def test_the_readme_installs_this_wheel():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"fairdistill-{fairdistill.__version__}-py3-none-any.whl" in readme
