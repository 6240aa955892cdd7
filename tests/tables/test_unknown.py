from __future__ import annotations

import shlex

import pytest

from fairdistill.tables.columns import words_of
from fairdistill.tables.unknown import codes_of_unknown, means_unknown, unknown_option


@pytest.mark.parametrize(
    "name",
    [
        " NaN ", "#VALUE!", "<NA>", "(blank)", "(empty)", "[null]", "\\N", "pd.NA", "N.A.", "n.d.", "n/d", "refused",
        "undetermined", "unknown gender", "Unknown ", "gender unknown", "Prefer not to say", "*", "?", "\u2014", "''",
        '""', "..", "_", "~", "unbekannt", "k.A.", "Keine Angabe", "inconnu", "non renseigné", "desconocido",
        "sin datos", "desconhecido", "sconosciuto", "onbekend", "Okänd", "неизвестно",
        "不明", "未知", "None", "unk", "not specified",
    ],
)  # fmt: skip
def test_words_for_unknown(name):
    assert means_unknown(name)


@pytest.mark.parametrize(
    "name",
    [
        "", " ", "Nana", "KA", "ND", "other", "none of these", "U", "no", "non", "+", "HIV-", "-1", "<20",
        "(18, 30]", "A*", "well-known", "unknowns anonymous",
    ],
)  # fmt: skip
def test_other_words(name):
    assert not means_unknown(name)


def test_classes_may_be_called_unknown():
    for name in ("none", "unknown", "<unk>", "-", ".", "*", "(", "'", "unknown object", "未知"):
        assert not means_unknown(name, kind="class")
    for name in ("nan", "N/A", "?", "(blank)", "not available", "keine Angabe"):
        assert means_unknown(name, kind="class")


def test_sources_may_be_numbered_unknowns():
    assert [means_unknown(name, kind="source") for name in ("unknown 7", "unknown", "NA", "?")] == [
        False,
        True,
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("names", "codes"),
    [
        (["-1", "0", "1"], ("-1",)),
        (["-1", "-9", "-99", "1", "2", "999"], ("-1", "-9", "-99", "999")),
        (["0", "1", "9999", "NA"], ("9999",)),
        (["-1.0", "0.0", "1.0"], ("-1.0",)),
        (["1930", "2001", "9999"], ("9999",)),
        (["1930", "2001", "999"], ()),
        (["18", "64", "99"], ()),
        (["1", "2", "99"], ("99",)),
        (["-1", "1"], ()),
        (["-2", "-1", "0", "1"], ()),
        (["-1", "0", "1", "north"], ()),
        (["0", "999"], ()),
    ],
)
def test_codes_for_unknown_are_judged_by_the_other_numbers(names, codes):
    assert codes_of_unknown(names) == codes


@pytest.mark.parametrize("words", [["-1", "999"], ["NA", "?"], ["a, b", "\\N"], ["''", "--"], ["keine Angabe "]])
def test_the_option_reads_back(words):
    text = unknown_option(words)
    word, value = text.split("=" if text.startswith("--unknown=") else " ", 1)
    assert (word, words_of(shlex.split(value)[0])) == ("--unknown", {each.strip() for each in words})
