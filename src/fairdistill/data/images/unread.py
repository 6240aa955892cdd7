"""Files that are often found in place of images, by their first bytes, so that a message can say what they are."""

from __future__ import annotations

from collections.abc import Mapping

from fairdistill.system.stand_ins import GIT_LFS

_BRANDS: Mapping[bytes, str] = {
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"), "a HEIC image"),
    **dict.fromkeys((b"avif", b"avis"), "an AVIF image"),
}
_BASE64 = "an image as Base64 text"
_KINDS: Mapping[bytes, str] = {
    b"\0\0\0\x0cjP  ": "a JPEG 2000 image", b"\xff\x4f\xff\x51": "a JPEG 2000 image", b"\xff\x0a": "a JPEG XL image",
    b"\0\0\0\x0cJXL ": "a JPEG XL image", b"II\xbc": "a JPEG XR image", b"8BPS": "a Photoshop file",
    b"\0\0\1\0": "an icon (ICO)", b"v/1\1": "an OpenEXR image", b"%PDF": "a PDF file", b"\x93NUMPY": "a NumPy array",
    b"PK\3\4": "a zip archive", b"\x1f\x8b": "a gzip file",
    b"/9j/": _BASE64, b"iVBORw0KGgo": _BASE64, GIT_LFS: "a pointer to a file (run git lfs pull)",
}  # fmt: skip
_TEXTS: Mapping[bytes, str] = {
    b"<svg": "an SVG drawing", b"<?xml": "an XML file, such as an SVG drawing", b"<!doctype": "a web page",
    b"<html": "a web page",
}  # fmt: skip
_BEGINNING = 100  # bytes of a text that are looked at


def unread_kind(content: bytes) -> str | None:
    """Return what a file is that is not read as an image; None if it is none of the usual kinds.

    Example:
        >>> unread_kind(b"<html>404 Not Found"), unread_kind(b"8BPS")
        ('a web page', 'a Photoshop file')
    """
    if content[4:8] == b"ftyp":
        return _BRANDS.get(content[8:12], "a video, or an image in the container of one")
    if content[128:132] == b"DICM":
        return "a DICOM file"
    text = content[:_BEGINNING].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for kinds, beginning in ((_KINDS, content), (_TEXTS, text)):
        for first, what in kinds.items():
            if beginning.startswith(first):
                return what
    return None
