"""Networks that do not need the code they were made with, such as those that ``torch.export`` writes."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.utils import _pytree as pytree

from fairdistill.errors import UsageError
from fairdistill.models.features.taps import TapPoint
from fairdistill.models.files.archive import check_archive
from fairdistill.models.outputs import class_logits, raw_outputs
from fairdistill.models.programs.exported_graph import find_tap_nodes, is_in_train_mode, simplify
from fairdistill.text.sentences import first_line
from fairdistill.types import TapName


class ExportedNetwork(nn.Module):
    """An exported program as a module that maps images ``[N, 3, H, W]`` to logits ``[N, C]``, for any N.

    A program with a fixed batch size runs in batches of that size; the last one is padded and cut again. The program
    was exported in eval mode, so ``train()`` has no effect.

    Args:
        program: the graph; takes one tensor, returns its flat outputs and after them the features. Its method
            ``reveal``, or its ``graph``, lets further values be read.
        structure: of the program's own outputs.
        features: names of the features that follow them.
        batch_size: the fixed batch size, None if the program takes any.
        image_size: height and width of the images, None if the program takes any.

    Attributes:
        tap_points: where the features are read; ``find_taps`` takes these.
        raw: whether the program's outputs are returned as they are, a single one as ``[N, 1]``.
        ending: the operation that it ends in, if only its file tells, as
            :func:`~fairdistill.models.ending.last_operation` names it.
    """

    def __init__(
        self,
        program: nn.Module,
        structure: pytree.TreeSpec,
        *,
        features: Sequence[TapName],
        batch_size: int | None,
        image_size: int | None,
    ) -> None:
        super().__init__()
        self.program = program
        self.batch_size = batch_size
        self.image_size = image_size
        self.features = nn.ModuleDict({name: nn.Identity() for name in features})  # where hooks see them whole
        self.tap_points: dict[TapName, TapPoint] = {name: TapPoint(f"features.{name}") for name in features}
        self.raw = False
        self.ending: str | None = None
        self._own = structure.num_leaves
        self._revealed: dict[str, str] = {}
        # A function, since copying a structure triggers PyTorch's deprecation warnings.
        self._outputs: Callable[[Sequence[Tensor]], Tensor] = lambda flat: raw_outputs(
            pytree.tree_unflatten(flat, structure)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits ``[N, C]`` of ``[N, 3, H, W]`` images.

        Raises:
            UsageError: if the images have a different size from the program's.
        """
        wanted = (3, self.image_size or images.shape[-2], self.image_size or images.shape[-1])
        if images.ndim != 4 or tuple(images.shape[1:]) != wanted:
            raise UsageError(
                f"the exported program takes images of shape {wanted}, but got {tuple(images.shape[1:])}; "
                "use images of its size, or export it with dynamic shapes"
            )
        chunks = images.split(self.batch_size or max(len(images), 1))
        found = zip(*map(self._run, chunks), strict=True)
        # Those of a single chunk are not copied, so that ``last_operation`` sees what made them.
        outputs, *features = ((torch.cat(parts) if len(chunks) > 1 else parts[0])[: len(images)] for parts in found)
        for module, feature in zip(self.features.values(), features, strict=True):
            module(feature)
        return outputs if self.raw else class_logits(outputs)

    def reveal(self, place: str) -> str:
        """Return the module that reads a value of the graph by its name; other names are returned as they are.

        Args:
            place: the name of a node of the graph, or of one of its features.
        """
        if place in self._revealed:
            return self._revealed[place]
        show = getattr(self.program, "reveal", None) or partial(_reveal_node, self.program)
        if not show(place):
            return place
        key = f"value{len(self._revealed)}"
        self.features[key] = nn.Identity()
        self._revealed[place] = f"features.{key}"
        return self._revealed[place]

    def train(self, mode: bool = True) -> ExportedNetwork:
        """Change nothing; return self."""
        return super().train(False)

    def _run(self, images: Tensor) -> tuple[Tensor, ...]:
        lacking = 0 if self.batch_size is None else self.batch_size - len(images)
        if lacking:
            images = torch.cat([images, images[-1:].expand(lacking, -1, -1, -1)])
        flat = self.program(images)
        return self._outputs(flat[: self._own]), *flat[self._own :]

    def _apply(self, fn: Any, recurse: bool = True) -> ExportedNetwork:
        """Also change the devices that are written in the graph, along with the tensors."""
        before = {tensor.device for tensor in self.state_dict(keep_vars=True).values()}
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]  # torch leaves it untyped
        after = {tensor.device for tensor in self.state_dict(keep_vars=True).values()}
        if before != after and len(after) == 1:
            _move_graph(self.program, next(iter(after)))
        return self


def load_program(path: str | Path) -> ExportedNetwork:
    """Return the network in a file that ``torch.export.save`` wrote.

    Its embedding and its last convolutional map are found in its graph, as
    :func:`~fairdistill.models.features.discovery.find_taps` finds them in a network.

    Raises:
        UsageError: if there is no such file, PyTorch cannot read it, it was exported in train mode, or it takes
            anything but one batch of images.

    Example:
        >>> teacher = load_program("teacher.pt2")  # doctest: +SKIP
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"there is no file {path}; write one with torch.export.save(torch.export.export(...), {path})")
    if not zipfile.is_zipfile(path):
        raise UsageError(f"{path} is not an exported program, or is damaged; write one with torch.export.save")
    check_archive(path)
    try:
        exported = torch.export.load(path)
        unlifted = exported.module()
    except Exception as error:  # PyTorch does not specify the errors for a damaged file
        raise UsageError(
            f"{path} is not a program that this PyTorch ({torch.__version__}) can read: {type(error).__name__}: "
            f"{first_line(error)}; write it with torch.export.save under the same version"
        ) from error
    assert isinstance(unlifted, fx.GraphModule)
    batch_size, image_size = _input_sizes(unlifted.graph, path)
    return prepared(unlifted, exported.call_spec.out_spec, path, batch_size=batch_size, image_size=image_size)


def _move_graph(program: nn.Module, device: torch.device) -> None:
    """Change the devices that are written in a graph."""
    if isinstance(program, fx.GraphModule):
        for node in program.graph.nodes:
            if "device" in node.kwargs:
                node.kwargs = {**node.kwargs, "device": device}
        program.recompile()


def _reveal_node(program: nn.Module, name: str) -> bool:
    """Return a node's value after the graph's other outputs from now on; False if there is no such node."""
    if not isinstance(program, fx.GraphModule):
        return False
    node = next((node for node in program.graph.nodes if node.name == name and node.op != "output"), None)
    if node is None:
        return False
    output = program.graph.output_node()
    output.args = ((*pytree.tree_leaves(output.args[0]), node),)
    program.recompile()
    return True


def prepared(
    unlifted: fx.GraphModule,
    structure: pytree.TreeSpec | None,
    path: Path,
    *,
    batch_size: int | None,
    image_size: int | None,
) -> ExportedNetwork:
    """Return a program of ``torch.export`` as a network; its features are found in its graph.

    Raises:
        UsageError: if it was exported in train mode.
    """
    assert structure is not None
    graph = unlifted.graph
    if is_in_train_mode(graph):
        raise UsageError(f"{path} was exported in train mode; call model.eval() before torch.export.export")
    simplify(graph)
    output = graph.output_node()
    flat = tuple(pytree.tree_leaves(output.args[0]))
    taps = find_tap_nodes(graph, flat)
    output.args = ((*flat, *taps.values()),)
    for node in graph.nodes:
        node.meta.clear()  # fake tensors, which do not survive being copied
    graph.set_codegen(fx.graph.CodeGen())  # flat inputs and outputs
    graph.lint()
    program = fx.GraphModule(unlifted, graph)
    return ExportedNetwork(program, structure, features=list(taps), batch_size=batch_size, image_size=image_size)


def _input_sizes(graph: fx.Graph, path: Path) -> tuple[int | None, int | None]:
    """Return the batch size and the image size, each None if the program takes any."""
    inputs = [node for node in graph.nodes if node.op == "placeholder"]
    values = [node.meta.get("val") for node in inputs]
    shapes = [tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__ for value in values]
    wanted = f"expected a program with one input, images [N, 3, H, W] with H = W, but {path} takes"
    if len(shapes) != 1 or not isinstance(values[0], Tensor):
        raise UsageError(f"{wanted} {len(shapes)}: {', '.join(map(str, shapes))}")
    fixed = [size if isinstance(size, int) else None for size in values[0].shape]
    if len(fixed) != 4 or fixed[1] != 3 or fixed[2] != fixed[3] or not values[0].is_floating_point():
        raise UsageError(f"{wanted} {values[0].dtype} {shapes[0]}")
    return fixed[0], fixed[2]
