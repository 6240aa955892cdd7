from __future__ import annotations

import pytest

from fairdistill.comparing.result import CompareResult, CompareRow, OverSeeds

figure = pytest.importorskip("matplotlib.figure")


def row(method: str, accuracy: tuple[float, ...], deo_a: tuple[float, ...]) -> CompareRow:
    return CompareRow(
        method=method, differs={}, seeds=tuple(range(len(accuracy))), accuracy=OverSeeds(accuracy),
        deo_a=OverSeeds(deo_a), deo_m=OverSeeds(deo_a), steps=1, samples=1, collapsed=(), paths=(),
    )  # fmt: skip


def drawn(*rows: CompareRow):
    result = CompareResult(data="a$b$", protocol="honest", made_with=(), largest_class=0.5, tested_on="", rows=rows)
    return result.plot(figure.Figure().add_subplot())


def test_each_row_is_at_its_means_with_its_spread_and_its_name() -> None:
    axes = drawn(row("ss", (0.8, 0.9), (0.1, 0.3)), row("mfd", (0.7,), (0.05,)))
    points = [(float(each.lines[0].get_xdata()[0]), float(each.lines[0].get_ydata()[0])) for each in axes.containers]
    assert points == [pytest.approx((20, 85)), pytest.approx((5, 70))]
    across = axes.containers[0].lines[2][0].get_segments()[0]
    assert across[1][0] - across[0][0] == pytest.approx(2 * 100 * 0.2 / 2**0.5)
    assert [each.get_text() for each in axes.texts] == ["ss", "mfd"]
    assert "over 1 to 2 seeds" in axes._left_title.get_text()


def test_a_row_without_a_defined_gap_is_left_out() -> None:
    axes = drawn(row("ss", (0.8,), (0.1,)), row("mfd", (0.7,), (float("nan"),)))
    assert [each.get_text() for each in axes.texts] == ["ss"]
