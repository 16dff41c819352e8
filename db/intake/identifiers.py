"""The industry's identifiers: brought to one spelling, refused where a check digit is wrong."""

from __future__ import annotations

import re

from stdnum import isni, isrc
from stdnum.exceptions import ValidationError

from db.intake.faults import shown

_ISWC = re.compile(r"T([0-9]{9})([0-9])")
_IPI = re.compile(r"([0-9]{9})([0-9]{2})")


def read_isrc(text: str) -> str:
    """Read a recording's ISRC. Raises `ValueError`; it has no check digit, only a shape."""
    try:
        return str(isrc.validate(text))
    except ValidationError:
        raise ValueError(f"'{shown(text)}' is not an ISRC, such as DE-A12-26-00001") from None


def read_iswc(text: str) -> str:
    """Read a work's ISWC, such as T-034.524.680-1. Raises `ValueError`."""
    match = _ISWC.fullmatch(re.sub(r"[-. ]", "", text).upper())
    if match is None:
        raise ValueError(f"'{shown(text)}' is not an ISWC, such as T-034.524.680-1")
    weighed = sum(i * int(digit) for i, digit in enumerate(match[1], start=1))
    if int(match[2]) != (10 - (1 + weighed) % 10) % 10:
        raise ValueError(f"'{shown(text)}' is not an ISWC: its check digit is wrong")
    return match[0]


def read_ipi(text: str) -> str:
    """Read a party's IPI name number, 11 digits. Raises `ValueError`."""
    match = _IPI.fullmatch(re.sub(r"[-. ]", "", text).zfill(11))
    if match is None:
        raise ValueError(f"'{shown(text)}' is not an IPI name number, such as 00052210040")
    rest = sum(int(digit) * (10 - i) for i, digit in enumerate(match[1])) % 101
    if int(match[2]) != ((101 - rest) % 100 if rest else 0):
        raise ValueError(f"'{shown(text)}' is not an IPI name number: its check digits are wrong")
    return match[0]


def read_isni(text: str) -> str:
    """Read a party's ISNI, 16 digits. Raises `ValueError`."""
    try:
        return str(isni.validate(text))
    except ValidationError:
        raise ValueError(f"'{shown(text)}' is not an ISNI: 16 digits, the last a check") from None
