from collections.abc import Callable

import pytest

from db.intake.identifiers import read_ipi, read_isni, read_isrc, read_iswc


@pytest.mark.parametrize(
    ("read", "text", "plain"),
    [
        (read_isrc, "DE-A12-26-00001", "DEA122600001"),
        (read_iswc, "T-034.524.680-1", "T0345246801"),
        (read_iswc, "t0345246801", "T0345246801"),
        (read_ipi, "00052210040", "00052210040"),
        (read_ipi, "52210040", "00052210040"),
        (read_ipi, "00014107338", "00014107338"),
        (read_isni, "0000 0001 2103 2683", "0000000121032683"),
    ],
)
def test_identifiers_come_to_one_spelling(
    read: Callable[[str], str], text: str, plain: str
) -> None:
    assert read(text) == plain


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (read_isrc, "DE-A12-26-001"),
        (read_iswc, "T-034.524.680-2"),
        (read_iswc, "T-043.524.680-1"),
        (read_iswc, "34524680"),
        (read_ipi, "00052210041"),
        (read_ipi, "00025210040"),
        (read_ipi, "name"),
        (read_isni, "0000 0001 2103 2684"),
    ],
)
def test_a_wrong_identifier_is_refused_by_name(read: Callable[[str], str], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        read(text)
