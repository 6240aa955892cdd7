"""Files that are made to harm: refused in a line with exit code 2, soon, and without taking memory; or shown safely."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file

from fairdistill.models.files.safe_file import read_safe, safe_bytes
from tests.data.images import hostile
from tests.data.images.writing import saved
from tests.faults.process import Command
from tests.faults.row import Row, Say
from tests.faults.scenarios import DIGITS, IMAGES, run_here
from tests.training.faces import draw_table

_SECONDS = 120.0  # on a busy machine
_MEMORY = 1 << 30  # bytes that a command may take beyond those of the process that it is forked from
_NAME = "\x1b[2J\r\nred\u202e"


@dataclass(frozen=True)
class Trap:
    """A file that is made to harm, and a command that is given it.

    Attributes:
        name: what it is.
        make: makes it in a folder that holds a run, a table and images.
        command: the arguments.
        codes: exit codes that are right.
        says: part of what is printed.
    """

    name: str
    make: Callable[[Path], object]
    command: tuple[str, ...]
    codes: tuple[int, ...] = (2,)
    says: str = ""


def _link(name: str, target: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).symlink_to(target)


def _pipe(name: str) -> Callable[[Path], object]:
    return lambda folder: os.mkfifo(folder / name)


def _image(content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / "faces/train/000.png").write_bytes(content)


def _text(name: str, content: str | bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def _socket(folder: Path) -> None:
    opened = socket.socket(socket.AF_UNIX)
    before = Path.cwd()
    os.chdir(folder)  # its path may have 108 bytes
    try:
        opened.bind("t.csv")
    finally:
        os.chdir(before)
        opened.close()


def _replaced_image(make: Callable[[Path], object]) -> Callable[[Path], object]:
    def replace(folder: Path) -> None:
        (folder / "faces/train/000.png").unlink()
        make(folder)

    return replace


def _network(name: str) -> Callable[[Path], object]:
    def edit(folder: Path) -> None:
        weights, metadata = read_safe(folder / "run/model.safetensors")
        (folder / "run/model.safetensors").write_bytes(safe_bytes(weights, {**metadata, "network": name}))
        path = folder / "run/config.yaml"
        path.write_text(path.read_text().replace("model: digit_net", f"model: {name}"))

    return edit


def _bomb(folder: Path) -> None:
    torch.save({"weight": torch.zeros(4000, 4000)}, folder / "plain.pt")
    with (
        zipfile.ZipFile(folder / "plain.pt") as old,
        zipfile.ZipFile(folder / "w.pt", "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for member in old.infolist():
            new.writestr(member.filename, old.read(member))


class _Code:
    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return os.mkdir, ("ran",)


def _nan_teacher(folder: Path) -> None:
    _, metadata = read_safe(folder / "run/model.safetensors")
    weights = {name: value * float("nan") for name, value in load_file(folder / "run/model.safetensors").items()}
    (folder / "run/model.safetensors").write_bytes(safe_bytes(weights, metadata))


def _named(folder: Path) -> None:
    rows = [
        {"label": "ab"[row % 2], "group": _NAME if row % 3 else "u", "pred": "ab"[row // 2 % 2]} for row in range(240)
    ]
    (folder / "t.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")


def _long(folder: Path) -> None:
    rows = [f"{'1' * 4301 if row % 2 else 0},{'uv'[row // 2 % 2]},0\n" for row in range(80)]
    (folder / "t.csv").write_text("label,group,pred\n" + "".join(rows))


def _looped(folder: Path) -> None:
    for kind in ("a", "b"):
        for part in ("x", "y"):
            (folder / "tree" / kind / part).mkdir(parents=True)
            for number in range(3):
                shutil.copy(folder / f"faces/train/{number:03d}.png", folder / "tree" / kind / part / f"{number}.png")
    (folder / "tree/a/x/loop").symlink_to(folder / "tree")


_INSPECT = ("data", "inspect", "--data", "t.csv", "--label", "a", "--group", "b")
_TABLE = ("audit", "t.csv")
_DATA = ("data", "inspect", *IMAGES, "--no-cache")
_MFD = ("train", *DIGITS, "--method", "mfd", "--teacher", "run", "--steps", "4", "--out", "new")

TRAPS = (
    Trap("a named pipe as a table", _pipe("t.csv"), _TABLE, says="named pipe"),
    Trap("a device as a table", _link("t.csv", "/dev/zero"), _TABLE, says="a device"),
    Trap("a device as JSON Lines", _link("t.jsonl", "/dev/zero"), ("audit", "t.jsonl"), says="a device"),
    Trap("a device as Parquet", _link("t.parquet", "/dev/zero"), ("audit", "t.parquet"), says="a device"),
    Trap("the memory of the process as a table", _link("t.csv", "/proc/self/mem"), _TABLE, says="of the system"),
    Trap("a folder as a table", lambda folder: (folder / "t.csv").mkdir(), _TABLE),
    Trap("a socket as a table", _socket, _TABLE, says="a socket"),
    Trap("a device as a data set", _link("t.csv", "/dev/zero"), _INSPECT, says="a device"),
    Trap("a pipe as a data set", _pipe("t.csv"), _INSPECT, says="named pipe"),
    Trap("a device as rows to compare", _link("t.json", "/dev/zero"), ("compare", "t.json"), says="a device"),
    Trap("a device in place of a result", lambda folder: [(folder / "run/result.json").unlink(),
         (folder / "run/result.json").symlink_to("/dev/zero")], ("compare", "run"), says="a device"),
    Trap("a pipe in place of a log", lambda folder: [(folder / "run/log.jsonl").unlink(),
         os.mkfifo(folder / "run/log.jsonl")], ("report", "run"), says="named pipe"),
    Trap("a device as a configuration", _link("c.yaml", "/dev/zero"), ("train", "--config", "c.yaml")),
    Trap("a pipe as weights", _pipe("w.pt"), ("audit", "w.pt", *DIGITS, "--model", "digit_net"), says="regular file"),
    Trap("weights that unpack to a thousand times their size", _bomb,
         ("audit", "w.pt", *DIGITS, "--model", "digit_net"), says="compressed"),
    Trap("a pickle with code as weights", lambda folder: torch.save({"a": _Code()}, folder / "w.pt"),
         ("audit", "w.pt", *DIGITS, "--model", "digit_net")),
    Trap("a run whose network is os:_exit", _network("os:_exit"), ("audit", "run", *DIGITS)),
    Trap("a run whose network is a file in the folder", _network("evil:make"), ("embed", "run")),
    Trap("a pipe as an image", _replaced_image(_pipe("faces/train/000.png")), _DATA, (0,), says="named pipe"),
    Trap("a device as an image", _replaced_image(_link("faces/train/000.png", "/dev/zero")), _DATA, (0,),
         says="a device"),
    Trap("a JPEG of 65,500 x 65,500 pixels", _image(hostile.jpeg(65_500, 65_500)), _DATA, (0,), says="megapixels"),
    Trap("a PNG of 65,500 x 65,500 pixels", _image(hostile.png(65_500, 65_500)), _DATA, (0,), says="megapixels"),
    Trap("a GIF of 65,500 x 65,500 pixels", _image(hostile.gif(65_500, 65_500)), _DATA, (0,), says="megapixels"),
    Trap("a WebP of 16,383 x 16,383 pixels", _image(hostile.webp(16_383, 16_383)), _DATA, (0,), says="megapixels"),
    Trap("a TIFF of one very large tile", _image(hostile.tiff_of_tiles(65_488)), _DATA, (0,), says="megapixels"),
    Trap("a JPEG of 500 scans", _image(hostile.jpeg_of_scans(500)), _DATA, (0,), says="scans"),
    Trap("PostScript as an image", _image(saved(hostile.SMALL, "EPS")), _DATA, (0,), says="unknown format"),
    Trap("links between folders that never end", _looped, ("data", "inspect", "--data", "tree", "--no-cache"), (0, 2)),
    Trap("a result that is null", _text("run/result.json", "null"), ("compare", "run")),
    Trap("a result nested 100,000 deep", _text("run/result.json", "[" * 100_000), ("compare", "run")),
    Trap("a configuration nested 100,000 deep", _text("c.yaml", "- " * 100_000), ("train", "--config", "c.yaml")),
    Trap("a configuration with a tag", _text("c.yaml", "lr: !!python/object:os.system x"),
         ("train", "--config", "c.yaml")),
    Trap("a configuration of many references", _text("c.yaml", "a: &a [x]\nb: [" + "*a, " * 60 + "]"),
         ("train", "--config", "c.yaml")),
    Trap("a log with bytes that are no text", _text("run/log.jsonl", b'{"step": 1}\n\xff\xfe\n'), ("report", "run")),
    Trap("a flipped bit in the weights", lambda folder: _flip(folder / "run/model.safetensors"), ("embed", "run"),
         says="damaged"),
    Trap("names that command a terminal", _named, ("audit", "t.jsonl", "--draws", "200"), (0,)),
    Trap("a class of 4,301 digits", _long, (*_TABLE, "--draws", "200"), (0,)),
    Trap("a teacher whose outputs are not numbers", _nan_teacher, _MFD, (2, 4)),
    Trap("a bandwidth without effect", lambda _folder: None, (*_MFD, "--set", "mfd.bandwidth=1e-30")),
    Trap("a temperature without effect", lambda _folder: None,
         ("train", *DIGITS, "--method", "hkd", "--teacher", "run", "--set", "hkd.temperature=1e-9", "--out", "new")),
    Trap("a column for two things", _text("t.csv", "label,group,pred\na,u,a\n"), (*_TABLE, "--group", "label")),
)  # fmt: skip


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-100] ^= 4
    path.write_bytes(content)


def try_hostile(*, tries: int | None = None, seed: int, place: Path, say: Say) -> Row:
    """Give every command its file."""
    row, started = Row("hostile files"), time.monotonic()
    prepared, folder = place / "prepared", place / "work"
    shutil.rmtree(place, ignore_errors=True)
    (prepared / "faces").mkdir(parents=True)
    draw_table(prepared / "faces", train=24, test=8)
    given = ["--method", "scratch", "--steps", "4", "--batch-size", "32", "--out", "run"]
    run_here(["train", *DIGITS, *given], prepared)
    (prepared / "evil.py").write_text("import os\nos.mkdir('ran')\n")
    for trap in TRAPS[: None if tries is None else tries]:
        shutil.copytree(prepared, folder, symlinks=True)
        try:
            trap.make(folder)
            broken = _sprung(trap, folder)
        finally:
            shutil.rmtree(folder)
        row.record(trap.name, broken, say)
    row.seconds = time.monotonic() - started
    return row


def _sprung(trap: Trap, folder: Path) -> list[str]:
    ended = Command(trap.command, folder).run()
    lines = ended.stderr.strip().splitlines()
    broken = [] if ended.code in trap.codes else [f"it ended with {ended.code}: {ended.stderr[-300:]!r}"]
    if trap.says not in ended.stderr + ended.stdout:
        broken.append(f"it does not say {trap.says!r}: {ended.stderr[-300:]!r}")
    if "Traceback" in ended.stderr or "unforeseen" in ended.stderr or len(lines) > 10 + (trap.codes != (2,)) * 30:
        broken.append(f"its message is {ended.stderr[:400]!r}")
    if "\x1b" in ended.stderr + ended.stdout or "\u202e" in ended.stderr + ended.stdout:
        broken.append("control characters reach the terminal")
    if ended.seconds > _SECONDS:
        broken.append(f"it took {ended.seconds:.0f} s")
    if ended.memory > _MEMORY:
        broken.append(f"it took {ended.memory / 2**20:,.0f} MiB more")
    if (folder / "ran").exists():
        broken.append("its code ran")
    return broken
