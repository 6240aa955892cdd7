from __future__ import annotations

import numpy as np

from fairdistill.data.images.decoding import Decoding
from fairdistill.data.images.depth import Depth
from fairdistill.data.images.facts import FACTS
from fairdistill.data.images.remarks import named, remarks

NAMES = np.array([f"{at}.png" for at in range(5)], object)


def said(*facts: tuple[int, int, int, int], how: Decoding = Decoding()) -> list[str]:  # noqa: B008
    rows = np.array([*facts, *[(0, 0, 1, 0)] * (5 - len(facts))], FACTS)
    return list(remarks(NAMES, rows, how))


def test_ordinary_images_need_no_remark():
    assert said() == []


def test_images_of_one_color_are_counted_and_three_are_named():
    assert said(*[(0, 0, 1, 1)] * 4) == ["4 images are a single color: 0.png, 1.png, 2.png and 1 more"]
    assert said((0, 0, 1, 1)) == ["1 image is a single color: 0.png"]


def test_transparent_pixels_and_further_frames_are_said():
    transparent, several = said((0, 0, 1, 2), (0, 0, 1, 2 + 4))
    assert transparent.startswith("2 images have transparent pixels (0.png, 1.png); transparency was dropped")
    assert several == "1 file has several frames or pages (1.png), of which the first was read"
    assert len(said((0, 0, 1, 1 + 2 + 4))) == 3


def test_orientation_is_said_to_be_ignored_or_applied():
    (ignored,) = said((0, 0, 6, 0), (0, 0, 3, 0))
    assert ignored.startswith("2 images have an EXIF orientation other than upright (0.png, 1.png), which was ignored")
    assert "--exif" in ignored
    assert said((0, 0, 6, 0), how=Decoding(exif=True))[0].endswith("which was applied")


def test_the_range_of_deep_images_is_said():
    (whole,) = said((12, 0, 1, 0), (12, 0, 1, 0))
    assert whole.startswith(
        "2 images store more than 8 bits a channel; they were read as 12-bit values (white is 4,095;"
    )
    (given,) = said((12, 0, 1, 0), how=Decoding(depth=Depth(whole=16)))
    assert "16-bit values (white is 65,535;" in given
    assert said((0, 1, 1, 0)) == ["1 image stores floats; it was read as values from 0 to 1"]


def test_very_long_names_are_shortened():
    assert named(np.array(["a" * 5000, "b", "c", "d"], object)) == f"{'a' * 197}..., b, c and 1 more"
