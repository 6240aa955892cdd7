"""The graph of an ONNX file: what it takes and returns, and where its features are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairdistill.errors import UsageError
from fairdistill.models.features.anatomy import Op, Value, find_values
from fairdistill.types import TapName

_FLOATS = {1: "float32", 10: "float16", 11: "float64"}  # numbers of onnx.TensorProto
_TYPES = {2: "uint8", 3: "int8", 6: "int32", 7: "int64", 9: "bool", 16: "bfloat16"}
_PIXELS = "uint8"
_LOGITS = "logits"
_RESHAPES = ("Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze")
_AS_PYTORCH = {"Conv": "conv2d", "Gemm": "linear", "Attention": "scaled_dot_product_attention"}


@dataclass(frozen=True)
class Layout:
    """What a graph takes.

    Attributes:
        name: of its input.
        dtype: NumPy's name of its type.
        batch_size: the fixed batch size, None if it takes any.
        size: height and width of the images, None if it takes any.
        channels_last: whether it takes ``[N, H, W, 3]``.
    """

    name: str
    dtype: str
    batch_size: int | None
    size: int | None
    channels_last: bool = False

    @property
    def is_pixels(self) -> bool:
        """Whether it takes pixels from 0 to 255 instead of numbers in [0, 1] or normalized ones."""
        return self.dtype == _PIXELS


def input_layout(graph: Any, path: Path, *, pixels: bool = False) -> Layout:
    """Return what a graph takes.

    Args:
        graph: the graph.
        path: its file, for errors.
        pixels: whether the file says that it takes uint8 pixels and prepares them itself.

    Raises:
        UsageError: if that is anything but one batch of images with three channels, as floats.
    """
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    wanted = f"expected a graph with one input, float images [N, 3, H, W] with H = W, but {path} takes"
    shapes = [_shape(value) for value in inputs]
    if len(inputs) != 1:
        shown = ", ".join(f"{value.name} {_shown(shape)}" for value, shape in zip(inputs, shapes, strict=True))
        raise UsageError(f"{wanted} {len(inputs)}: {shown or 'none'}")
    shape, kind = shapes[0], inputs[0].type.tensor_type.elem_type
    known = _FLOATS | {2: _PIXELS} if pixels else _FLOATS
    if kind not in known:
        raise UsageError(
            f"{wanted} {_TYPES.get(kind, 'other numbers')} {_shown(shape)}; export the network without "
            "the preprocessing in its graph"
        )
    last = len(shape) == 4 and shape[3] == 3 and shape[1] != 3
    batch, channels, height, width = (shape[0], shape[3], *shape[1:3]) if last else (*shape, *[0] * 4)[:4]
    fits = len(shape) == 4 and (channels == 3 or isinstance(channels, str)) and _same(height, width)
    if not fits:
        raise UsageError(f"{wanted} {known[kind]} {_shown(shape)}")
    return Layout(
        inputs[0].name, known[kind], batch if isinstance(batch, int) else None,
        next((side for side in (height, width) if isinstance(side, int)), None), last,
    )  # fmt: skip


def output_of(graph: Any, path: Path) -> tuple[str, list[str]]:
    """Return the name of the output to read, and what was assumed.

    It is the one called ``logits``, else the first matrix of floats, not the numbers of predicted classes or features
    of another shape, else the first one.

    Raises:
        UsageError: if the graph has no output.
    """
    names = [value.name for value in graph.output]
    if not names:
        raise UsageError(f"{path} has no output; export it again")
    fitting = [
        value.name for value in graph.output if value.type.tensor_type.elem_type in _FLOATS and _is_matrix(value)
    ]
    chosen = _LOGITS if _LOGITS in names else next(iter(fitting), names[0])
    others = [name for name in names if name != chosen]
    note = f"The output {chosen!r} of {path.name} was read; it also has {', '.join(map(repr, others))}"
    return chosen, [note] if others else []


def _is_matrix(value: Any) -> bool:
    """Return whether a value may be a row of numbers, or a single one, for each image."""
    return len(_shape(value)) <= 2


def value_names(graph: Any) -> set[str]:
    """Return the names of all values that a graph computes."""
    return {name for node in graph.node for name in node.output if name}


def ending_of(graph: Any, output: str) -> str | None:
    """Return the operation that an output comes from, apart from changes of its shape and type, as PyTorch calls it."""
    constants = {tensor.name for tensor in graph.initializer}
    by = {name: node for node in graph.node for name in node.output}
    while output in by:
        node = by[output]
        computed = [name for name in node.input if name and name not in constants]
        adds_bias = node.op_type == "Add" and len(computed) == 1 < len(node.input)
        if not computed or not (adds_bias or node.op_type in _RESHAPES):
            return _name(node, constants)
        output = computed[0]
    return None


def find_tap_values(graph: Any, output: str) -> dict[TapName, str]:
    """Return the values of the embedding and of the last convolutional map, as far as shapes are known.

    Args:
        graph: with the shapes of its values.
        output: the name of the output that is read.
    """
    shapes = {value.name: _shape(value) for value in (*graph.input, *graph.value_info, *graph.output)}
    shapes |= {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    constants = {tensor.name for tensor in graph.initializer}
    ops = []
    for node in graph.node:
        outputs = [Value(name, shapes[name]) for name in node.output if name in shapes]
        given = [Value(name, shapes.get(name, ())) for name in node.input if name]
        if outputs:
            ops.append(Op(_name(node, constants), tuple(given), tuple(outputs)))
    width = next(iter(shapes.get(output, ())[1:]), 2)
    try:
        return {name: str(value.key) for name, value in find_values(ops, width).items()}
    except IndexError:  # a convolution whose shapes are not known
        return {}


def _name(node: Any, constants: set[str]) -> str:
    if node.op_type == "MatMul":
        return "mm" if len(node.input) > 1 and node.input[1] in constants else "matmul"
    return str(_AS_PYTORCH.get(node.op_type, node.op_type.lower()))


def _shape(value: Any) -> tuple[int | str, ...]:
    """Return a value's shape; a size that is not fixed is given by its symbol."""
    sizes = value.type.tensor_type.shape.dim
    return tuple(
        size.dim_value if size.HasField("dim_value") and size.dim_value > 0 else size.dim_param or f"?{place}"
        for place, size in enumerate(sizes)
    )


def _shown(shape: tuple[int | str, ...]) -> str:
    return f"[{', '.join(str(size).partition('?')[0] or '?' for size in shape)}]"


def _same(height: int | str, width: int | str) -> bool:
    return height == width or not (isinstance(height, int) and isinstance(width, int))
