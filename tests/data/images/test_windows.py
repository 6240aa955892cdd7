"""Windows of rows, against slicing."""

import pytest
import torch

from fairdistill.data.images.windows import windows


@pytest.mark.parametrize("first", [0, 2])
def test_windows_of_rows_are_slices(first):
    images = torch.randint(0, 256, (7, 9, 12, 3), dtype=torch.uint8).permute(0, 3, 1, 2)[first:]
    rows = torch.tensor([4, 0, 0, 3])
    corners = torch.tensor([[0, 0], [4, 7], [2, 3], [4, 0]])
    boxes = torch.cat([corners / torch.tensor([9, 12]), torch.ones(4, 2)], 1).double()
    for cut, row, (top, left) in zip(windows(images, rows, boxes, 5), rows, corners.tolist(), strict=True):
        assert torch.equal(cut, images[row, :, top : top + 5, left : left + 5])


def test_a_window_as_large_as_the_image_and_no_rows():
    images = torch.randint(0, 256, (2, 5, 5, 3), dtype=torch.uint8).permute(0, 3, 1, 2)
    boxes = torch.tensor([[0, 0, 1, 1]]).double()
    assert torch.equal(windows(images, torch.tensor([1]), boxes, 5), images[1:])
    assert windows(images, torch.tensor([], dtype=torch.int64), boxes[:0], 5).shape == (0, 3, 5, 5)
