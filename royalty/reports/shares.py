"""Shares as `shares.csv`: what one workspace writes, another imports unchanged.

Identifiers are written as they are, whatever a spreadsheet makes of them: this file is read back.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

COLUMNS = ("track", "recording", "share_ppb", "low_ppb", "high_ppb", "provider")


def shares_csv(shares: Iterable[Mapping[str, object]]) -> bytes:
    """Write shares in the order given: UTF-8, bare line feeds; no recording is the unattributed."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(shares)
    return text.getvalue().encode()
