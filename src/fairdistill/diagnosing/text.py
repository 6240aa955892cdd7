"""What is installed, as text for a terminal."""

from __future__ import annotations

from fairdistill.diagnosing.result import DoctorResult, Package
from fairdistill.text.lists import joined
from fairdistill.text.tables import aligned


def render(result: DoctorResult) -> str:
    """Return versions, device, extras, and the lines that install what is missing."""
    rows = [
        ("fairdistill", result.fairdistill),
        ("Python", f"{result.python} on {result.platform}"),
        ("device", f"{result.device or 'unknown'} (--device auto)"),
        ("precision", f"{result.precision or 'unknown'} (--precision auto)"),
        ("processors", str(result.processors)),
        ("threads", f"{result.threads or 'unknown'} (of PyTorch; --threads)"),
        ("data", result.data_root or "$FAIRDISTILL_DATA is not set; name folders with --data-root"),
        ("image cache", result.image_cache),
    ]
    lines = [*aligned(rows, left=(0, 1)), "", "Needed by every command:"]
    lines += [f"  {_shown(each)}" for each in result.packages]
    lines += ["", "Extras:"]
    named = [(f"  {each.name}", "missing" if each.install else "ready", each.purpose) for each in result.extras]
    lines += aligned(named, left=(0, 1, 2)) if named else ["  unknown, since fairdistill is run from its source folder"]
    missing = [each for each in result.extras if each.install]
    for each in missing:
        lacking = [part.name for part in each.packages if part.version is None]
        verb = "is" if len(lacking) == 1 else "are"
        lines += ["", f"{each.name}: {joined(lacking)} {verb} missing. Install with:", f"  {each.install}"]
    broken = [part for extra in result.extras for part in extra.packages if part.version and part.problem]
    for part in broken:
        lines += [
            "",
            _shown(part),
            f"fairdistill works around that, other programs cannot. Install {part.name} from where torch came from; "
            "without a GPU:",
            "  pip install torch torchvision --index-url https://download.pytorch.org/whl/cpu",
        ]
    problems = [each for each in result.packages if each.problem is not None]
    if problems:
        lines += [
            "",
            f"Not usable: {', '.join(each.name for each in problems)}. Install with:",
            "  pip install fairdistill",
        ]
    elif not missing and not broken:
        lines += ["", "Nothing is missing."]
    return "\n".join(lines)


def _shown(found: Package) -> str:
    return f"{found.name} {found.version or ''}".rstrip() + (f": {found.problem}" if found.problem else "")
