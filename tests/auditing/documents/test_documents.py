"""Documents for auditors: what they hold, what they leave blank, and that they cite their sources."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

from fairdistill.auditing import AuditOptions, AuditResult, audit
from fairdistill.auditing.documents import DOCUMENTS, Provenance, document
from tests.auditing.test_selection import decided

MADE = Provenance(
    date="2026-01-31", data="t.csv", data_sha256="ab12", model=None, model_sha256=None,
    versions={"fairdistill": "1.2.3", "Python": "3.13"},
)  # fmt: skip


def result(**changes) -> AuditResult:
    table = decided([500, 380, 390, 9], [1000, 1000, 500, 10], **changes)
    return audit(table, options=AuditOptions(draws=200, positive="yes", max_deo_a=0.5))


@pytest.fixture(scope="module")
def audited() -> AuditResult:
    return result()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_is_dated_no_advice_and_has_blanks_and_sources(name: str, audited: AuditResult) -> None:
    text = document(name, audited, MADE)
    assert "Date of the audit: 2026-01-31." in text
    assert "**Not legal advice.**" in text
    assert text.count("**[TO FILL IN: ") >= 7
    assert "ab12" in text
    assert "fairdistill 1.2.3, Python 3.13" in text
    assert "outside that law it has no validity" in text
    sources = text.partition("## Sources")[2]
    assert "<https://fairlearn.org/" in sources
    assert len(re.findall("<https://", sources)) >= 2
    assert not re.search(r"\bnan\b", text)
    assert "None" not in text


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_has_the_table_of_categories(name: str, audited: AuditResult) -> None:
    text = document(name, audited, MADE)
    (row,) = [line for line in text.splitlines() if line.startswith("| x | 1,000 | 39.8 | 380 |")]
    assert "| 38.0 [35.0, 41.0] | 48.7 [44." in row
    assert "| -40.0 [" in row
    assert "| &lt; 0.0001 |" in row
    assert "Each is compared with y, which has the highest rate of the categories with at least 2%" in text
    assert "z has a higher rate but less than 2% of the samples" in text


@pytest.mark.parametrize(
    ("of_small", "said"), [(0, "selected, so"), (9, "selected in a category with at least 2% of the samples, so")]
)
def test_without_a_reference_it_says_where_nobody_is_selected(of_small: int, said: str) -> None:
    found = audit(decided([0, 0, of_small], [500, 500, 10]), draws=200, positive="yes")
    assert f"Nobody is {said} no ratio is defined. " in document("nyc", found, MADE)


def test_the_bias_audit_marks_small_categories_and_asks_for_the_combination(audited: AuditResult) -> None:
    text = document("nyc", audited, MADE)
    (row,) = [line for line in text.splitlines() if line.startswith("| z | 10 |")]
    assert row.endswith("| under 2% of the data |")
    assert "0 individuals of unknown category are not in this table" in text
    assert "--group race,sex" in text
    assert "this table of predictions has no scores" in text
    for section in ("§ 5-300", "§ 5-301 (b)", "§ 5-301 (d)", "§ 5-302 (b)", "§ 5-303 (a) (2)", "§ 20-871"):
        assert section in text


def test_the_bias_audit_has_scoring_rates_if_there_are_scores() -> None:
    score = np.linspace(0, 1, 2510)
    text = document("nyc", result(probabilities=np.stack([1 - score, score], axis=1)), MADE)
    assert "### Scoring rate by group" in text
    assert "above the median of all samples (§ 5-300, § 5-301 (c))" in text


def test_the_guidelines_ask_for_four_fifths_and_significance(audited: AuditResult) -> None:
    lines = document("ugesp", audited, MADE).splitlines()
    flags = {line.split(" | ")[0][2:]: line.split(" | ")[-1][:-2] for line in lines if re.match(r"\| [wxyz] \|", line)}
    assert flags["w"] == "below 80%, significant"
    assert flags["y"] == ""
    assert flags["z"] == "80% or more, not significant; small group"


def test_technical_documentation_gives_accuracy_by_group(audited: AuditResult) -> None:
    text = document("annex-iv", audited, MADE)
    for heading in ("## 2 (g). ", "## 3. ", "## 4. ", "### Potentially discriminatory impacts"):
        assert heading in text
    assert sum(bool(re.match(r"\| [wxyz] \| (yes|no) \| ", line)) for line in text.splitlines()) == 8
    assert "* Limit DEO\\_A &lt;= 50.0%: " in text
    plain = document("annex-iv", audit(decided([50, 40], [100, 100]), draws=200), MADE)
    assert "Fisher" not in plain
    assert "fairlearn.org" not in plain


def test_names_are_no_markup() -> None:
    text = document("ugesp", result(group_names=("<b>", "x|y", "[z](u)", "*")), MADE)
    assert "<b>" not in text
    assert "x\\|y" in text
    assert "\\[z\\](u)" in text


def test_provenance_names_files_by_their_digests(tmp_path: Path) -> None:
    table, run = tmp_path / "t.csv", tmp_path / "run"
    table.write_text("a\n")
    run.mkdir()
    (run / "predictions.csv").write_text("b\n")
    (run / "model.safetensors").write_bytes(b"weights")

    def digest(content: bytes) -> str:
        return hashlib.sha256(content).hexdigest()

    found = Provenance.of(table)
    assert (found.data, found.data_sha256, found.model) == (str(table), digest(b"a\n"), None)
    of_run = Provenance.of(run)
    assert (of_run.data_sha256, of_run.model, of_run.model_sha256) == (digest(b"b\n"), str(run), digest(b"weights"))
    on_data = Provenance.of(run / "model.safetensors", data="digits-s")
    assert (on_data.data, on_data.data_sha256, on_data.model_sha256) == ("digits-s", None, digest(b"weights"))
    assert Provenance.of("-").data == "standard input"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", found.date)
    assert {"fairdistill", "Python", "numpy", "scipy"} <= found.versions.keys()
