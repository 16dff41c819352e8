import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.encoding import DTYPES, decode, encode, row_bytes, signed


def drawn(rows, width, seed=0):
    return np.random.default_rng(seed).standard_normal((rows, width)).astype(np.float32)


@given(st.integers(1, 70), st.integers(-37, 37), st.integers(0, 5))
def test_bytes_come_back_within_half_a_step_of_the_largest_number(width, power, seed):
    rows = drawn(4, width, seed) * np.float32(10.0) ** power
    largest = np.abs(rows).max(1, keepdims=True)

    half = np.abs(decode(encode(rows, "float16")) - rows) / largest
    byte = np.abs(decode(encode(rows, "int8")) - rows) / largest

    assert half.max() < 2**-11 * 1.01
    assert byte.max() < 0.5 / 127 * 1.01


@given(st.integers(1, 140), st.integers(-36, 36))
def test_bits_keep_signs_and_the_mean_size(width, power):
    rows = drawn(3, width) * np.float32(10.0) ** power

    found = decode(encode(rows, "bit"))

    assert (np.sign(found) == np.sign(rows)).all()
    np.testing.assert_allclose(np.abs(found).min(1), np.abs(rows).mean(1), rtol=1e-5)
    np.testing.assert_allclose(np.abs(found).max(1), np.abs(rows).mean(1), rtol=1e-5)


@pytest.mark.parametrize("dtype", ["bit", "peak"])
def test_no_other_scale_of_the_codes_comes_nearer_to_a_row(dtype):
    rows = drawn(1, 200)
    encoded = encode(rows, dtype)
    distance = lambda scale: np.linalg.norm(signed(encoded) * scale - rows)  # noqa: E731
    best = float(encoded.scales[0])

    assert distance(best) < min(distance(best * 1.02), distance(best * 0.98))


def peak_of(group):
    """What is to be seen of eight numbers: (place, sign, size), or nothing."""
    found = np.array(group)
    place = int(np.abs(found).argmax())
    if place == 0 and found[0] < 0:
        found[0] = 0
        place = int(np.abs(found).argmax())
    return (place, np.sign(found[place]), abs(found[place])) if found[place] else None


@given(st.integers(1, 140), st.integers(-36, 36))
def test_peaks_keep_place_and_sign_of_the_largest_of_every_eight_numbers(width, power):
    rows = drawn(3, width) * np.float32(10.0) ** power
    rows[:, 8:16] = 0  # a group of nothing

    found = decode(encode(rows, "peak"))

    for row, kept in zip(rows, found, strict=True):
        seen = {start: peak_of(row[start : start + 8]) for start in range(0, width, 8)}
        seen = {start: peak for start, peak in seen.items() if peak}
        assert np.flatnonzero(kept).tolist() == [start + peak[0] for start, peak in seen.items()]
        if seen:
            size = np.mean([peak[2] for peak in seen.values()])
            signs = np.array([peak[1] for peak in seen.values()])
            np.testing.assert_allclose(kept[kept != 0], signs * size, rtol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_of_zeros_and_no_rows_at_all_come_back(dtype):
    rows = drawn(3, 13)
    rows[1] = 0

    found = decode(encode(rows, dtype))

    assert (found[1] == 0).all()
    assert (found[[0, 2]] != 0).any(1).all()
    assert decode(encode(rows[:0], dtype)).shape == (0, 13)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [1, 7, 8, 63, 64, 65, 300])
def test_a_row_takes_as_many_bytes_as_stated(dtype, width):
    encoded = encode(drawn(5, width), dtype)

    assert encoded.codes.nbytes + encoded.scales.nbytes == 5 * row_bytes(width, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_same_rows_give_the_same_bytes_alone_or_among_others(dtype):
    rows = drawn(9, 33)
    together, alone = encode(rows, dtype), encode(rows[4:6], dtype)

    assert together.take(slice(4, 6)).codes.tobytes() == alone.codes.tobytes()
    assert together.take(np.array([4, 5])).scales.tobytes() == alone.scales.tobytes()


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_number_that_is_not_finite_is_refused_with_its_row(wrong):
    rows = drawn(4, 5)
    rows[2, 3] = wrong

    with pytest.raises(ValueError, match="row 2"):
        encode(rows, "bit")
