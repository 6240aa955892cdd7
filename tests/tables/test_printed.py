from __future__ import annotations

import pytest

from fairdistill.tables.printed import unprinted


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("tensor(1)", "1"),
        ("tensor([[-0.5]], device='cuda:0', grad_fn=<SelectBackward0>)", "-0.5"),
        (" array(['cat'], dtype='<U3') ", "cat"),
        ("[[0.5]]", "0.5"),
        ("np.float32(5e-05)", "5e-05"),
        ("numpy.str_('a cat')", "a cat"),
        ("[np.int64(3)]", "3"),
        ("(2,)", "2"),
        ("np.True_", "True"),
        ("b'cat'", "cat"),
    ],
)
def test_a_single_value_is_found_in_what_python_prints(text, value):
    assert unprinted(text) == value


@pytest.mark.parametrize("text", ["1", "cat", "[1, 2]", "(18, 30]", "[]", "np.nan", "tensor()", "bob", "cat [x]"])
def test_other_texts_are_what_they_are(text):
    assert unprinted(text) is None
