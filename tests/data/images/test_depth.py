from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image

from fairdistill.data.images.decoding import Decoding, decode
from fairdistill.data.images.depth import Depth
from fairdistill.data.images.facts import FACTS, common_depth
from fairdistill.data.images.view import View
from fairdistill.errors import DataError
from tests.data.images.writing import deep_png, saved, tiff

VIEW = View(24, 32)
COLOR = np.random.default_rng(0).integers(0, 256, (24, 32, 3))
COLOR[0, 0] = 255
GREY = COLOR[:, :, :1]
OPAQUE = np.full((24, 32, 1), 65535)


def deep(bits: int) -> np.ndarray:
    return (COLOR << (bits - 8)).astype(np.uint16)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_the_largest_value_implies_the_bits_of_every_kind_of_file(bits):
    color = deep(bits)
    grey = color[:, :, 0]
    files = [
        (deep_png(grey, 0), GREY), (deep_png(color, 2), COLOR), (deep_png(np.dstack([grey, OPAQUE]), 4), GREY),
        (deep_png(np.dstack([color, OPAQUE]), 6), COLOR), (tiff(grey), GREY), (tiff(color), COLOR),
        (tiff(color, order=">"), COLOR), (tiff(np.dstack([color, OPAQUE]).astype(np.uint16), {338: [2]}), COLOR),
        (saved(Image.fromarray(grey), "TIFF", compression="tiff_lzw"), GREY),
        (tiff(grey.astype(np.int16), {339: [2]}), GREY) if bits < 16 else (tiff(grey, order=">"), GREY),
    ]  # fmt: skip
    for content, expected in files:
        found = decode(content, VIEW)
        assert (found.pixels == expected).all()
        assert found.facts.depth == Depth(whole=bits)


def test_whole_numbers_of_32_bits_are_read_to_their_largest_value():
    full = tiff(GREY[:, :, 0].astype(np.uint32) << 24)
    assert (decode(full, VIEW).pixels == GREY).all()
    few = saved(Image.fromarray((GREY[:, :, 0] << 4).astype(np.int32)), "TIFF")
    assert (decode(few, VIEW).pixels == GREY).all()


@pytest.mark.parametrize(("factor", "bits"), [(1 / 255, 1), (3 / 255, 2), (1.0, 8), (257.0, 16)])
def test_floats_are_read_from_0_to_the_range_that_their_largest_value_implies(factor, bits):
    found = decode(tiff((GREY[:, :, 0] * factor).astype(np.float32), {339: [3]}), VIEW)
    assert (found.pixels == GREY).all()
    assert found.facts.depth == Depth(real=bits)


def test_floats_may_leave_their_range_a_little():
    values = (GREY[:, :, 0] / 255 * 1.05 - 0.02).astype(np.float32)
    found = decode(tiff(values, {339: [3]}), VIEW)
    assert found.facts.depth == Depth(real=1)
    assert (found.pixels[:, :, 0] == np.clip(np.rint(values * 255), 0, 255)).all()


def test_what_the_header_states_is_a_lower_bound():
    dark = GREY[:, :, 0] >> 2
    assert decode(deep_png(dark, 0), VIEW).facts.depth == Depth(whole=8)
    assert decode(deep_png(dark, 0, significant=(12,)), VIEW).facts.depth == Depth(whole=12)
    assert decode(tiff(dark.astype(np.uint16), {281: [4095]}), VIEW).facts.depth == Depth(whole=12)
    assert decode(deep_png(deep(16)[:, :, 0], 0, significant=(12,)), VIEW).facts.depth == Depth(whole=16)


@pytest.mark.parametrize("kind", [b"P5", b"P6"])
def test_a_file_that_names_its_white_is_scaled_by_that_and_by_no_other_range(kind):
    values = (COLOR if kind == b"P6" else GREY) * 4095 // 255
    content = kind + b" 32 24 4095\n" + values.astype(">u2").tobytes()
    for how in (Decoding(), Decoding(depth=Depth(whole=16)), Decoding(depth=Depth(whole=10))):
        found = decode(content, VIEW, how)
        assert abs(found.pixels.astype(int) - (COLOR if kind == b"P6" else GREY)).max() <= 1
        assert found.facts.depth == Depth()


def test_a_tiff_whose_0_is_white_is_inverted():
    assert (decode(tiff(deep(12)[:, :, 0], {262: [0]}), VIEW).pixels == 255 - GREY).all()


REFUSED = [
    (tiff(deep(12)[:, :, 0].astype(np.int16) - 1024, {339: [2]}), "range from -1,024 to 3,056"),
    (tiff((GREY[:, :, 0] / 127.5 - 1).astype(np.float32), {339: [3]}), "range from -1 to 1"),
    (tiff(np.full((24, 32), np.nan, np.float32), {339: [3]}), "not finite"),
    (tiff(np.full((24, 32), 1e30, np.float32), {339: [3]}), "more than 32 bits"),
    (tiff((GREY[:, :, 0] / 255).astype(np.float64), {339: [3]}), "TIFF file with channels of an unknown kind"),
]


@pytest.mark.parametrize(("content", "reason"), REFUSED, ids=[reason for _, reason in REFUSED])
def test_values_whose_black_or_white_cannot_be_known_are_refused(content, reason):
    with pytest.raises(DataError, match=f"{re.escape(reason)}.*convert it to 8 bits a channel"):
        decode(content, VIEW)


def test_tiff_files_whose_bytes_pillow_takes_for_others_are_refused():
    planes = {262: [2], 277: [3], 258: [16, 16, 16], 284: [2]}
    for content in (
        tiff(deep(16).transpose(2, 0, 1).reshape(72, 32), {**planes, 257: [24]}),
        tiff(np.dstack([65535 - deep(16), OPAQUE * 0]).astype(np.uint16), {262: [5]}),
        tiff(GREY[:, :, 0].astype(np.uint8).view(np.int8), {339: [2]}),
    ):
        with pytest.raises(DataError, match="stored in a way that is not read"):
            decode(content, VIEW)


def test_a_range_that_is_given_applies_and_must_hold_the_values():
    twelve = deep_png(deep(12)[:, :, 0], 0)
    assert (decode(twelve, VIEW, Decoding(depth=Depth(whole=16))).pixels == GREY >> 4).all()
    with pytest.raises(DataError, match="its values reach 4,080, but 10 bits hold at most 1,023"):
        decode(twelve, VIEW, Decoding(depth=Depth(whole=10)))


def test_the_widest_range_is_that_of_all_files():
    def facts(*pairs: tuple[int, int]) -> np.ndarray:
        return np.array([(whole, real, 1, 0) for whole, real in pairs], FACTS)

    assert common_depth(facts((0, 0), (12, 0), (12, 0), (0, 1)), Depth()) == Depth()
    assert common_depth(facts((0, 0), (10, 0), (12, 0), (0, 1)), Depth()) == Depth(whole=12)
    assert common_depth(facts((10, 0), (12, 0), (0, 1), (0, 8)), Depth()) == Depth(12, 8)
    assert common_depth(facts((10, 0), (12, 0)), Depth(whole=16)) == Depth(whole=16)
