from __future__ import annotations

import pytest

from fairdistill import methods, paper

# Typed from the supplement of Jung et al. (CVPR 2021), Table 1.
TABLE_1 = """
            cifar10s        utkface      celeba
hkd         T 1             T 3          T 5
fitnet      T 1             T 5          T 1
at          L 1             L 30         L 1
nst         L 30            L 3          -
ad          L 0.001         L 0.01       L 10
ss+hkd      T 3             T 5          T 3
ss+fitnet   T 3             T 10         T 3
ad+hkd      T 1 L 0.0001    T 3 L 30     T 5 L 10
ad+fitnet   T 1 L 0.001     T 5 L 1      T 1 L 1
mfd         L 3             L 3          L 7
"""

STRENGTH_OF = {
    "at": "at",
    "nst": "nst",
    "ad": "adversary",
    "ad+hkd": "adversary",
    "ad+fitnet": "adversary",
    "mfd": "mfd",
}


def typed() -> dict[tuple[str, str], dict[str, float]]:
    head, *rows = TABLE_1.strip().splitlines()
    cells = {}
    for row in rows:
        name, *columns = [column.strip() for column in row.split("  ") if column.strip()]
        for column, cell in zip(head.split(), columns, strict=True):
            words = cell.split()
            keys = {"T": "kd.temperature", "L": f"{STRENGTH_OF.get(name)}.strength"}
            cells[name, column] = {
                keys[symbol]: float(value) for symbol, value in zip(words[::2], words[1::2], strict=False)
            }
    return cells


def test_every_value_of_table_1_is_the_published_one():
    published = {(row, column): values for (row, column), values in typed().items() if values}
    ours = {(row, column): dict(values) for column, rows in paper.TABLE_1.items() for row, values in rows.items()}
    assert len(published) == 29  # ten rows, three data sets, NST on CelebA not published
    assert ours == published


@pytest.mark.parametrize(("row", "column"), [key for key, values in typed().items() if values])
def test_a_row_is_trained_with_its_published_values(row, column):
    settings = methods.parse(row, data=column).settings
    assert {key: settings[key] for key in typed()[row, column]} == typed()[row, column]


def test_a_data_set_outside_the_table_uses_the_column_of_cifar10s():
    for row in paper.ROWS:
        assert paper.settings(row, "digits-s") == paper.settings(row, "cifar10s")


@pytest.mark.parametrize(("row", "column"), [("scratch", "utkface"), ("ss", "celeba"), ("nst", "celeba")])
def test_a_row_without_a_value_has_none(row, column):
    assert paper.settings(row, column) is None


def test_the_rows_are_the_twelve_of_the_result_tables_in_their_order():
    order = "scratch hkd fitnet at nst ss ad ss+hkd ss+fitnet ad+hkd ad+fitnet mfd"
    assert list(paper.ROWS) == order.split()
