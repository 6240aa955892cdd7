"""Tries the wheel in an empty environment: ``python -m tests.wheel dist``; the source archive must build the same one.

The environment sees this one's dependencies, so nothing is downloaded; the package itself comes from the wheel alone.
"""

from __future__ import annotations

import site
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

import yaml

_ROWS = [(row % 2, "ab"[row // 2 % 2], row // 4 % 2) for row in range(400)]  # guesses, of which group a gets none wrong
_TABLE = "label,group,pred\n" + "".join(
    f"{label},{group},{label if group == 'a' else guess}\n" for label, group, guess in _ROWS
)


def contents(wheel: Path) -> set[str]:
    """Return the files of a wheel; fails if something is in it that does not belong there, or is missing."""
    names = set(zipfile.ZipFile(wheel).namelist())
    strange = [name for name in names if not name.startswith(("fairdistill/", "fairdistill-"))]
    assert not strange, f"{wheel.name} holds {strange}"
    assert "fairdistill/py.typed" in names
    assert any(name.endswith((".html", ".css")) for name in names), "the report's templates are missing"
    return names


def metadata(wheel: Path) -> Message:
    """Return the metadata of a wheel."""
    archive = zipfile.ZipFile(wheel)
    name = next(each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
    return HeaderParser().parsestr(archive.read(name).decode())


def tried(wheel: Path, version: str) -> None:
    """Install the wheel into an empty environment, beside this one's dependencies, and audit a table with it."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "venv"
        venv.create(home, with_pip=True)
        python = home / "bin" / "python"
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", wheel], check=True
        )
        packages = next((home / "lib").glob("python*/site-packages"))
        (packages / "dependencies.pth").write_text("\n".join(site.getsitepackages()))
        (Path(folder) / "predictions.csv").write_text(_TABLE)
        for arguments, code in ((["--version"], 0), (["audit", "predictions.csv", "--max-deo-a", "0.01"], 1)):
            done = subprocess.run(
                [home / "bin" / "fairdistill", *arguments], cwd=folder, capture_output=True, text=True, check=False
            )
            assert done.returncode == code, f"{arguments}: {done.returncode}, {done.stderr}"
            assert arguments[0] != "--version" or done.stdout.split()[-1] == version, done.stdout
        where = subprocess.run(
            [python, "-c", "import fairdistill; print(fairdistill.__file__)"], cwd=folder, capture_output=True,
            text=True, check=True,
        ).stdout  # fmt: skip
        assert where.startswith(str(packages)), f"imported from {where}, not from the wheel"


def main() -> None:
    folder = Path(sys.argv[1])
    (wheel,), (archive,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    described = metadata(wheel)
    cited = yaml.safe_load(Path("CITATION.cff").read_text(encoding="utf-8"))["version"]
    assert "dev" in described["Version"] or described["Version"] == cited, (
        f"{wheel.name} is not the {cited} of CITATION.cff"
    )
    files = contents(wheel)
    with tarfile.open(archive) as opened:
        inside = {name.partition("/")[2] for name in opened.getnames()}
    missing = {name for name in files if name.startswith("fairdistill/") and f"src/{name}" not in inside}
    assert not missing, f"{archive.name} lacks {sorted(missing)[:3]}"
    tried(wheel, described["Version"])
    print(f"{wheel.name}: {len(files)} files, {wheel.stat().st_size / 2**20:.1f} MiB; {archive.name}; tried")


if __name__ == "__main__":
    main()
