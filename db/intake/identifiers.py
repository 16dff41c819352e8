"""The industry's identifiers: brought to one spelling, refused where a check digit is wrong."""

from __future__ import annotations

import re

from stdnum import isni, isrc
from stdnum.exceptions import ValidationError

from db.intake.faults import shown

_ISWC = re.compile(r"T([0-9]{9})([0-9])")
_IPI = re.compile(r"([0-9]{9})([0-9]{2})")
_IPI_BASE = re.compile(r"I[0-9]{10}")
_MARKS = re.compile(r"[-. \u2010-\u2013]")  # what stands between groups of digits


def read_isrc(text: str) -> str:
    """Read a recording's ISRC. Raises `ValueError`; it has no check digit, only a shape."""
    try:
        return str(isrc.validate(_bare(text, "ISRC")))
    except ValidationError:
        raise ValueError(f"'{shown(text)}' is not an ISRC, such as DE-A12-26-00001") from None


def read_iswc(text: str) -> str:
    """Read a work's ISWC, such as T-034.524.680-1. Raises `ValueError`."""
    match = _ISWC.fullmatch(_bare(text, "ISWC"))
    if match is None:
        raise ValueError(f"'{shown(text)}' is not an ISWC, such as T-034.524.680-1")
    weighed = sum(i * int(digit) for i, digit in enumerate(match[1], start=1))
    if int(match[2]) != (10 - (1 + weighed) % 10) % 10:
        raise ValueError(f"'{shown(text)}' is not an ISWC: its check digit is wrong")
    return match[0]


def read_ipi(text: str) -> str:
    """Read a party's IPI name number, 11 digits. Raises `ValueError`."""
    bare = _bare(text, "IPI")
    match = _IPI.fullmatch(bare.zfill(11))
    if _IPI_BASE.fullmatch(bare):
        message = "is an IPI base number, which names nobody; give the name number, 11 digits"
        raise ValueError(f"'{shown(text)}' {message}")
    if match is None:
        raise ValueError(f"'{shown(text)}' is not an IPI name number, such as 00052210040")
    rest = sum(int(digit) * (10 - i) for i, digit in enumerate(match[1])) % 101
    if int(match[2]) != ((101 - rest) % 100 if rest else 0):
        raise ValueError(f"'{shown(text)}' is not an IPI name number: its check digits are wrong")
    return match[0]


def read_isni(text: str) -> str:
    """Read a party's ISNI, 16 digits. Raises `ValueError`."""
    try:
        return str(isni.validate(_bare(text, "ISNI")))
    except ValidationError:
        raise ValueError(f"'{shown(text)}' is not an ISNI: 16 digits, the last a check") from None


def _bare(text: str, name: str) -> str:
    """Take away the name in front, a resolver's address, and what stands between groups."""
    address = re.compile(
        rf"(https?://(www\.)?{name}\.org/({name}/)?)?({name}\b[: ]*)?", re.IGNORECASE
    )
    return _MARKS.sub("", address.sub("", text.strip(), count=1)).upper()
