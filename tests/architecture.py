"""The floors of the house, and what offends against them; ``python -m tests.architecture`` prints both."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

NAME = "fairdistill"
ROOT = Path(__file__).parents[1] / "src" / NAME

# From the top down. A room imports rooms of the floors below its own, neither of its own floor nor above.
FLOORS = (
    ("__init__", "__main__"),
    ("cli",),
    ("fixing",),
    ("tuning",),
    ("benching",),
    ("reporting",),
    ("exporting",),
    ("training",),
    ("embedding", "inspecting", "predicting", "diagnosing"),
    ("tracking",),
    ("auditing", "comparing", "choosing"),
    ("predictions",),
    ("heads", "posthoc"),
    ("runs",),
    ("caching",),
    ("methods", "samplers"),
    ("models",),
    ("losses",),
    ("data",),
    ("tables",),
    ("metrics",),
    ("types",),
    ("system",),
    ("contract",),
    ("text", "drawing"),
    ("errors", "paper", "method_names", "_version"),
    ("escaping",),
)
LOOSE = frozenset(
    {"__init__", "__main__", "_version", "errors", "escaping", "types", "paper", "methods", "method_names"}
)
VERBS = frozenset(
    {"train", "resume", "audit", "compare", "embed", "report", "fix", "tune", "bench", "inspect", "export", "predict"}
) | {"load"}
FACE, MEDIAN, P90, LONGEST = "__init__", 100, 250, 350


class Import(NamedTuple):
    """``from module import name`` in line ``line``; ``name`` is None in ``import module``."""

    line: int
    module: str
    name: str | None


def imports(tree: ast.Module) -> Iterator[Import]:
    """Yield every import of ours, those of functions and of ``TYPE_CHECKING`` among them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == NAME:
            yield from (Import(node.lineno, node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            ours = [alias.name for alias in node.names if alias.name.split(".")[0] == NAME]
            yield from (Import(node.lineno, module, None) for module in ours)
        assert not (isinstance(node, ast.ImportFrom) and node.level), "imports are absolute"


def offered(tree: ast.Module) -> frozenset[str]:
    """Return the names in ``__all__``."""
    lists = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets)
    )
    return frozenset(ast.literal_eval(next(lists, ast.List(elts=[]))))


@dataclass(frozen=True)
class House:
    """The package in the folder ``root``."""

    root: Path

    @cached_property
    def trees(self) -> dict[str, ast.Module]:
        """The module's dotted name (a package's is that of its folder) and its tree."""
        trees = {}
        for path in sorted(self.root.rglob("*.py")):
            parts = path.relative_to(self.root).with_suffix("").parts
            name = ".".join((NAME, *(parts[:-1] if parts[-1] == FACE else parts)))
            trees[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
        return trees

    @cached_property
    def packages(self) -> dict[str, Path]:
        folders = sorted({path.parent for path in self.root.rglob("*.py")} - {self.root})
        return {".".join((NAME, *folder.relative_to(self.root).parts)): folder for folder in folders}

    @cached_property
    def lines(self) -> dict[str, dict[str, int]]:
        """How many lines each file of a room has."""
        lines: dict[str, dict[str, int]] = {}
        for path in sorted(self.root.rglob("*.py")):
            relative = path.relative_to(self.root)
            room = relative.parts[0].removesuffix(".py")
            lines.setdefault(room, {})[str(relative)] = len(path.read_text(encoding="utf-8").splitlines())
        return lines

    def target(self, found: Import) -> str:
        """Return the module that an import reads: the submodule, where it names one."""
        inner = f"{found.module}.{found.name}"
        return inner if inner in self.trees else found.module

    def upward(self) -> list[str]:
        """Imports of a room that is not on a floor below."""
        floors = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
        says = []
        for module, tree in self.trees.items():
            own = room_of(module)
            for found in imports(tree):
                other = room_of(self.target(found))
                if own != other and own in floors and other in floors and floors[other] <= floors[own]:
                    says.append(f"{module}:{found.line} imports {self.target(found)}, which is not below it")
        return says

    def cycles(self) -> list[str]:
        """A cycle of modules that import each other, else one of inner folders and the files beside them."""
        edges = [(name, self.target(found)) for name, tree in self.trees.items() for found in imports(tree)]
        for whole in (str, place_of):
            graph: dict[str, set[str]] = {}
            for name, other in ((whole(name), whole(other)) for name, other in edges):
                graph.setdefault(name, set()).update({other} - {name})
            try:
                TopologicalSorter(graph).prepare()
            except CycleError as error:
                return [" <- ".join(error.args[1])]
        return []

    def past_the_face(self, name: str, tree: ast.Module) -> list[str]:
        """Imports of a package's inner module, by the module ``name`` outside of it, where its face has the name."""
        says = []
        for found in imports(tree):
            for package in self.packages:
                outside = not f"{name}.".startswith(f"{package}.")
                if outside and found.module.startswith(f"{package}.") and self.offers(package, found):
                    says.append(f"{name}:{found.line} imports {found.name} from {found.module}; use {package}")
                    break
        return says

    def offers(self, package: str, found: Import) -> bool:
        """Return whether the package's face offers the very thing that is imported from within it."""
        face = self.trees[package]
        same = any((inner.module, inner.name) == (found.module, found.name) for inner in imports(face))
        return same and found.name in offered(face)

    def misnamed(self) -> list[str]:
        """Packages with a public function's name, packages without a face, and what is loose on the top floor."""
        public = VERBS | {name for name in offered(self.trees[NAME]) if f"{NAME}.{name}" not in self.trees}
        says = [f"{name} has the name of a public function" for name in self.packages if name.split(".")[-1] in public]
        says += [f"{name} has no __init__.py" for name in self.packages if name not in self.trees]
        loose = {path.stem for path in self.root.glob("*.py")} - LOOSE
        says += [f"{name}.py is loose at the top level" for name in sorted(loose)]
        known = {room for rooms in FLOORS for room in rooms}
        return says + [f"{room} is on no floor" for room in self.lines if room not in known]

    def sizes(self) -> list[str]:
        """The goals of size that are missed."""
        by_file = {file: lines for room in self.lines.values() for file, lines in room.items()}
        middle, high, _ = spread(list(by_file.values()))
        says = [f"{file} has {lines} lines, more than {LONGEST}" for file, lines in by_file.items() if lines > LONGEST]
        says += [f"the median file has {middle:g} lines, more than {MEDIAN}"] if middle > MEDIAN else []
        return says + ([f"one file in ten has {high:g} lines or more, over {P90}"] if high > P90 else [])

    def offences(self) -> dict[str, list[str]]:
        """Everything that offends, by kind."""
        # The root names inner modules: mypy takes `from fairdistill.auditing import audit` there for the module.
        inside = {name: tree for name, tree in self.trees.items() if name != NAME}
        past = [line for name, tree in inside.items() for line in self.past_the_face(name, tree)]
        found = {"upward": self.upward(), "cycle": self.cycles(), "past a face": past}
        return {**found, "name": self.misnamed(), "size": self.sizes()}


def place_of(module: str) -> str:
    """Return the inner folder that a module is in, or the module itself."""
    return ".".join(module.split(".")[:3])


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else FACE


def spread(lines: list[int]) -> tuple[float, float, int]:
    """Return the median, the ninetieth percentile and the maximum."""
    high = quantiles(lines, n=10, method="inclusive")[-1] if len(lines) > 1 else lines[0]
    return median(lines), high, max(lines)


def main() -> int:
    house = House(ROOT)
    print(f"{'room':<14}{'files':>6}{'median':>8}{'p90':>6}{'max':>6}")
    rooms = [(room, list(house.lines[room].values())) for rooms in FLOORS for room in rooms if room in house.lines]
    every = [lines for _, files in rooms for lines in files]
    for room, files in [*rooms, ("all", every)]:
        middle, high, longest = spread(files)
        print(f"{room:<14}{len(files):>6}{middle:>8.0f}{high:>6.0f}{longest:>6}")
    offences = house.offences()
    for kind, lines in offences.items():
        print(*(f"{kind}: {line}" for line in lines), sep="\n", end="\n" if lines else "")
    return any(offences.values())


if __name__ == "__main__":
    sys.exit(main())
