"""Grey of more than 8 bits looks as its file says, whatever its numbers are."""

import numpy as np
import pytest
from support.picture_files import encoded, grey_tiff, noise

from portrait_pipeline.decoding.decode import decode
from portrait_pipeline.decoding.faults import DecodingError

SHARES = np.linspace(0.0, 1.0, 16).reshape(2, 8)
"""Of white: what every picture here shows."""


def shares_of(data: bytes) -> np.ndarray:
    """Grey values of a decoded picture in [0, 1]."""
    return np.asarray(decode(data, 10_000).image)[..., 0] / 255


@pytest.mark.parametrize(
    ("kind", "num_bits", "full", "zero_is_white"),
    [
        ("u1", 8, 255, True),
        ("u2", 16, 65_535, False),
        ("u2", 16, 65_535, True),
        ("u2", 12, 4_095, False),
        ("f4", 32, 1.0, False),
        ("f4", 32, 1.0, True),
        ("f4", 32, 255.0, False),
        ("f4", 32, 65_535.0, True),
    ],
)
def test_white_is_what_the_header_says(
    kind: str, num_bits: int, full: float, zero_is_white: bool
) -> None:
    """Of every depth, counted from black or from white, the same picture comes out."""
    shares = 1 - SHARES if zero_is_white else SHARES
    values = (shares * full).round(7 if full == 1.0 else 0).astype(kind)
    found = shares_of(grey_tiff(values, num_bits, zero_is_white))
    assert np.abs(found - SHARES).max() < 0.005


@pytest.mark.parametrize("full", [200, 40_000, 2**31 - 1, 2**32 - 1])
def test_large_integers_have_no_sign_unless_the_header_says_so(full: int) -> None:
    """No half of the picture turns black where the highest bit is set."""
    found = shares_of(grey_tiff((SHARES * full).astype("u4")))
    assert np.all(np.diff(found.ravel()) > 0)
    signed = shares_of(grey_tiff(np.minimum(SHARES * full, 2**31 - 1).astype("i4")))
    assert np.all(np.diff(signed.ravel()) >= 0)


@pytest.mark.parametrize("stray", [np.inf, -np.inf, np.nan, 1.001, 1.4, -0.3])
def test_a_stray_value_darkens_no_picture(stray: float) -> None:
    """Infinite values, none at all, and what sharpening leaves above white stand for themselves."""
    values = SHARES.astype("f4")
    values[0, 0] = stray
    found = shares_of(grey_tiff(values)).ravel()[1:]
    assert np.abs(found - SHARES.ravel()[1:]).max() < 0.005


@pytest.mark.parametrize("most", [300, 1023, 65_535])
def test_a_dark_picture_stays_dark(most: int) -> None:
    """A PGM says in its header what white is: a picture of its darkest values is nearly black."""
    values = (SHARES * 3).astype(">u2")
    data = f"P5\n8 2\n{most}\n".encode() + values.tobytes()
    assert shares_of(data).max() <= 3 / most + 0.005


@pytest.mark.parametrize("kind", ["f2", "f8"])
def test_a_rare_kind_is_named_by_its_format(kind: str) -> None:
    """What Pillow does not know of a format that is read is not said to be no picture."""
    with pytest.raises(DecodingError, match="begins as TIFF") as caught:
        decode(grey_tiff(SHARES.astype(kind)), 10_000)
    assert caught.value.fault == "unreadable"
    with pytest.raises(DecodingError, match="begins as PNG"):
        decode(encoded(noise(20, 20)).replace(b"IDAT", b"IDAU"), 10_000)
