"""What an installation takes: ``python -m benchmarks.install dist/fairdistill-*.whl [REQUIREMENT ...]``.

The wheel, what it needs, and the other requirements (for example an exact PyTorch) go into an empty environment; the
line printed says how much of the disk that takes. The packages that pip downloads are not counted.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path


def size_of(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def main(requirements: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "venv"
        venv.create(home, with_pip=True)
        before = size_of(home)
        pip = [str(home / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "--quiet", "--no-cache-dir", *requirements], check=True)
        listed = subprocess.run([*pip, "list", "--format=freeze"], check=True, capture_output=True, text=True).stdout
        torch = next(line for line in listed.splitlines() if line.startswith("torch=="))
        print(f"{torch}: {len(listed.splitlines())} packages, {(size_of(home) - before) / 1e9:.1f} GB")


if __name__ == "__main__":
    main(sys.argv[1:])
