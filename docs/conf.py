"""How `make docs` builds the site: Sphinx reads the pages of the repository where they lie, so links work on both."""

from __future__ import annotations

import ast
import importlib.util
import re
import runpy
import sys
import tempfile
import tomllib
from pathlib import Path

import matplotlib.pyplot as plt
from sphinx.application import Sphinx

from fairdistill import __version__ as release
from fairdistill.system.vision import import_torchvision

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs" / "_extensions"))
_project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


project = _project["name"]
copyright = "2026, the fairdistill authors; MIT License"
author = ", ".join(each["name"] for each in _project.get("authors", []))
html_title = f"{project} {release}"

root_doc = "docs/index"
include_patterns = ["docs/**", "results/*.md", "CHANGELOG.md"]
exclude_patterns = [
    ".*",
    "**/.*",
    "src",
    "tests",
    "benchmarks",
    "examples",
    "docs/_*",
    "docs/figures",
    "docs/gallery/*.py",
]
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
    "matplotlib.sphinxext.plot_directive",
    "sphinx_gallery.gen_gallery",
    "mathml",
    "measured",
    "plain_docstrings",
]

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "attrs_inline"]
myst_heading_anchors = 4
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True

autosummary_generate = True
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "show-inheritance": False}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_attr_annotations = False

import_torchvision()  # before an example does, so that a build for CUDA works next to a PyTorch without it


def _runs(example: Path) -> bool:
    """Return whether all that an example imports is installed; else its page shows it without its output."""
    tree = ast.parse(example.read_text(encoding="utf-8"))
    imported = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    return all(importlib.util.find_spec(name.split(".")[0]) is not None for name in imported)


def _thumbnail() -> str:
    """Draw the picture of the examples that draw none, and return its path: what MFD does."""
    path = ROOT / "docs" / "_build" / "mfd.png"
    path.parent.mkdir(exist_ok=True)
    runpy.run_path(str(ROOT / "docs" / "figures" / "mfd.py"))
    plt.savefig(path, dpi=150)
    plt.close("all")
    return str(path)


sphinx_gallery_conf = {
    "default_thumb_file": _thumbnail(),
    "examples_dirs": ["examples"],
    "gallery_dirs": ["docs/gallery"],
    "filename_pattern": "|".join(rf"/{each.name}$" for each in (ROOT / "examples").glob("*.py") if _runs(each)),
    "download_all_examples": False,
    "show_signature": False,
    "write_computation_times": False,  # a page of its own, in the root of the repository
    "remove_config_comments": True,
    "within_subsection_order": "FileNameSortKey",
    "capture_repr": ("_repr_html_",),
    "only_warn_on_example_error": False,
    "abort_on_example_error": True,
}
plot_basedir = str(ROOT)
plot_html_show_source_link = False
plot_html_show_formats = False
plot_formats = [("svg", 100)]

html_math_renderer = "mathml"
html_theme = "furo"
html_static_path = ["_static"]
html_extra_path = ["_extra"]  # the page at the root of the site, which leads to the first one
templates_path = ["_templates"]  # pages of classes without what they inherit
html_css_files = ["site.css"]
html_theme_options = {"navigation_with_keys": True}
html_show_sourcelink = False


def _titled(app: Sphinx, docname: str, source: list[str]) -> None:
    """Give the tables that commands write, which begin at once, the name of their file as a title."""
    if docname.startswith("results/") and not source[0].startswith("#"):
        source[0] = f"# {docname.removeprefix('results/')}\n\n{source[0]}"


def _without_folder(app: Sphinx, docname: str, source: list[str]) -> None:
    """Show the files of an example by their own names, without the temporary folder that they were in."""
    if docname.startswith("docs/gallery/"):
        source[0] = re.sub(rf"{re.escape(tempfile.gettempdir())}/tmp\w+/", "", source[0])


def setup(app: Sphinx) -> None:
    """Connect the hooks above."""
    app.connect("source-read", _titled)
    app.connect("source-read", _without_folder)
