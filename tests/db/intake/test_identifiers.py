from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

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
        (read_ipi, "90000003100", "90000003100"),  # 9 · 10 + 3 · 3 + 1 · 2 leaves 0 of 101
        (read_ipi, "90000000403", "90000000403"),  # 9 · 10 + 4 · 2 leaves 98, so 03
        (read_isni, "0000 0001 2103 2683", "0000000121032683"),
        (read_isni, "https://isni.org/isni/0000000121032683", "0000000121032683"),
        (read_isni, "ISNI: 0000-0001-2150-090x", "000000012150090X"),
        (read_isrc, "ISRC de-a12-26-00001", "DEA122600001"),
        (read_isrc, "DE A12 26 00001", "DEA122600001"),
        (read_iswc, "ISWC T-034524680-1", "T0345246801"),
        (read_iswc, "T 034 524 680 1", "T0345246801"),
        (read_iswc, "T\u2013034.524.680\u20131", "T0345246801"),
        (read_ipi, "IPI 00052210040", "00052210040"),
        (read_ipi, "522100.40", "00052210040"),
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


def test_a_base_number_is_said_to_be_none_that_names_a_party() -> None:
    with pytest.raises(ValueError, match="'I-000000229-7' is an IPI base number"):
        read_ipi("I-000000229-7")


# Every number of a kind that is valid, and the same with one digit changed or two exchanged.

some_digits = st.lists(st.integers(0, 9), min_size=9, max_size=9)
another = st.integers(1, 9)  # what is added to a digit, modulo 10


def with_check(digits: list[int], valid: Callable[[str], bool], checks: int) -> str:
    """Complete a number by trying every check there is, so that no formula is used twice."""
    body = "".join(map(str, digits))
    return next(t for n in range(10**checks) if valid(t := f"{body}{n:0{checks}d}"))


def accepts(read: Callable[[str], str]) -> Callable[[str], bool]:
    def valid(text: str) -> bool:
        try:
            read(text)
        except ValueError:
            return False
        return True

    return valid


valid_iswc = accepts(lambda text: read_iswc(f"T{text}"))
valid_ipi = accepts(read_ipi)
valid_isni = accepts(read_isni)


def changed(text: str, place: int, by: int) -> str:
    return text[:place] + str((int(text[place]) + by) % 10) + text[place + 1 :]


@given(some_digits, st.integers(0, 9), another)
def test_an_iswc_tells_a_changed_digit_wherever_its_weight_can(digits, place, by) -> None:
    text = with_check(digits, valid_iswc, checks=1)
    weight = 1 if place == 9 else place + 1  # modulo 10, which 2, 4, 5, 6 and 8 have a factor of
    old, new = int(text[place]), int(changed(text, place, by)[place])

    assert valid_iswc(changed(text, place, by)) == (weight * (new - old) % 10 == 0)


@given(some_digits, st.integers(0, 10), another)
def test_an_ipi_name_number_tells_every_changed_digit_but_between_two_sums(
    digits, place, by
) -> None:
    text = with_check(digits, valid_ipi, checks=2)
    other = changed(text, place, by)
    # Sums that leave 0 and 1 both have 00 for a check: 101 - 1 = 100, of which two digits are kept.
    assume(not text.endswith("00"))

    assert not valid_ipi(other)


@given(st.lists(st.integers(0, 9), min_size=15, max_size=15), st.integers(0, 14), another)
def test_an_isni_tells_every_changed_digit(digits, place, by) -> None:
    body = "".join(map(str, digits))
    text = next(f"{body}{c}" for c in "0123456789X" if valid_isni(f"{body}{c}"))

    assert not valid_isni(changed(text, place, by))


def test_an_isrc_has_no_check_digit() -> None:
    assert read_isrc("DEA122600002") != read_isrc("DEA122600001")
