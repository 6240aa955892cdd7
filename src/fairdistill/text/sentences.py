"""The beginnings of sentences and of error messages."""

from __future__ import annotations


def capitalized(text: str) -> str:
    """Return a text with a capital first letter, unless it begins with the name of a file or of an option.

    Example:
        >>> capitalized("the model is small"), capitalized("config.json gave the size"), capitalized("--size is 64")
        ('The model is small', 'config.json gave the size', '--size is 64')
    """
    first = text.partition(" ")[0].rstrip(".,:;")
    return text if set("./_") & set(first) else f"{text[:1].upper()}{text[1:]}"


def first_line(error: BaseException) -> str:
    r"""Return the first line of an error's message; empty if it has none.

    Example:
        >>> first_line(ValueError("no such file\nTraceback ...")), first_line(KeyboardInterrupt())
        ('no such file', '')
    """
    return (str(error).strip().splitlines() or [""])[0]
