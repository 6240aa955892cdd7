"""Values that probably mean unknown: words, signs such as ``?``, and codes such as 999."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from fairdistill.tables.order import number


def _words(text: str) -> frozenset[str]:
    return frozenset(re.split(r"[|\n]\s*", text))


# All words are compared in lower case and without blanks, brackets and quotes around them. A class may well be called
# by one of the first.
_NAMES_OF_CLASSES = _words(
    """none|nil|unknown|unk|unbekannt|inconnu|inconnue|desconocido|desconocida|desconhecido|desconhecida|sconosciuto
    sconosciuta|onbekend|okänd|okänt|ukendt|ukjent|tuntematon
    nieznany|nieznana|nieznane|неизвестно|неизвестный|不明|未知|미상"""
)
_WORDS = _words(
    """na|n/a|n-a|n.a|n.a.|n\\a|\\n|#n/a|#na|nan|pd.na|null|nat|n.d.|n/d|undefined|undetermined|not determined
    unavailable|missing|blank|empty|no data|no answer|no response|refused|declined|declined to answer|don't know
    #value!|#ref!|#name?|#div/0!|#null!|#num!
    k.a.|k. a.|keine angabe|keine angaben|ohne angabe|nicht bekannt|nicht angegeben
    non renseigné|non renseignée|non précisé|non spécifié|non disponible|sans réponse
    sin datos|sin dato|sin respuesta|no especificado|no disponible|no sabe|ns/nc
    não informado|não declarado|sem dados|sem informação|ignorado
    non noto|non disponibile|non specificato|nessun dato|nessuna risposta
    niet bekend|niet opgegeven|geen gegevens|geen antwoord
    uppgift saknas|ej angivet|inget svar|ikke oplyst|ikke oppgitt|ei tietoa|brak danych|nie podano
    нет данных|не указано|не указан|н/д
    未記入|無回答|未回答|回答なし|不详|不詳|未填写|未填寫|无数据|알 수 없음|모름|무응답"""
)
_PHRASE = re.compile(
    r"\b(unknown|unspecified|undisclosed|redacted|withheld|tbd|none given|prefers? not to (say|answer|disclose)"
    r"|not (specified|available|applicable|known|stated|reported|recorded|provided|disclosed|asked|answered))\b"
)
_AROUND = "()[]{}<>'\"` "
_SIGNS = re.compile(r"[-\u2013\u2014.?*_~]+")
_SIGNS_OF_CLASSES = re.compile(r"-+|[.]+|[*_~]")

_LOW = (-1, -9, -99, -999, -9999)
_HIGH = (99, 999, 9999, 99999)
_ABOVE = 4  # times the largest other number is a high code at least, as 999 is of ages


def means_unknown(name: str, *, kind: str = "group") -> bool:
    """Return whether a value is a word that people write where they do not know one, for example NA or ?.

    Args:
        name: the value.
        kind: what it stands for: ``group``; ``class``, which may well be called ``none`` or ``unknown``; or ``source``,
            of which there may be many, such as ``unknown 7``.

    Example:
        >>> means_unknown("[null]"), means_unknown("unknown gender"), means_unknown("unknown", kind="class")
        (True, True, False)
    """
    text = name.strip().casefold()
    inner = text.strip(_AROUND)
    if text in _WORDS or inner in _WORDS:
        return True
    if kind == "class" and (inner in _NAMES_OF_CLASSES or _SIGNS_OF_CLASSES.fullmatch(text)):
        return False
    phrase = _PHRASE.search(inner) if kind == "group" else _PHRASE.fullmatch(inner)
    empty = kind != "class" and text != "" and not inner  # a class may be a sign, such as a bracket
    return inner in _NAMES_OF_CLASSES or phrase is not None or _SIGNS.fullmatch(text) is not None or empty


def codes_of_unknown(names: Sequence[str]) -> tuple[str, ...]:
    """Return the numbers that are codes for unknown, judged by the others: -1 beside 0, 1, 2; 999 beside ages.

    Names that are words for unknown do not count; if there are other texts, no number is such a code.

    Example:
        >>> codes_of_unknown(["-1", "0", "1", "2"]), codes_of_unknown(["18", "64", "999"])
        (('-1',), ('999',))
    """
    values = {name: number(name.strip().replace(",", ".", 1)) for name in names if not means_unknown(name)}
    known = [value for value in values.values() if value is not None]
    others = [value for value in known if value not in (*_LOW, *_HIGH)]
    if len(known) < len(values) or len(others) < 2 or min(others) < 0:
        return ()
    codes = {*_LOW, *(code for code in _HIGH if code > _ABOVE * max(others))}
    return tuple(name for name, value in values.items() if value in codes)


def unknown_option(words: Sequence[str]) -> str:
    """Return the option that names values as unknown, as a shell needs it.

    Example:
        >>> unknown_option(["NA", "?"]), unknown_option(["-1"])
        ("--unknown 'NA,?'", '--unknown=-1')
    """
    value = shlex.quote(",".join(f'"{word}"' if "," in word else word for word in map(str.strip, words)))
    return f"--unknown={value}" if words[0].strip().startswith("-") else f"--unknown {value}"
