"""How numbers are written."""

import math

import pytest

from portrait_pipeline.report.wording import (
    interval_decimals,
    within_a_sentence,
    write_count,
    write_duration,
    write_lambda,
    write_measurement,
    write_number,
    write_share,
)


def test_a_value_has_one_decimal_more_than_its_interval() -> None:
    """0.41234 in [0.3899, 0.4301] reads 0.412 [0.39, 0.43]."""
    assert write_measurement(0.41234, 0.3899, 0.4301, "plain") == ("0.412", "[0.39, 0.43]")


def test_units_are_written() -> None:
    """Shares are percentages, ratios of signal to noise are decibels."""
    assert write_measurement(0.553, 0.48, 0.62, "percent") == ("55\u202f%", "[48, 62]")
    assert write_measurement(21.32, 20.9, 21.7, "decibel") == ("21.3\u202fdB", "[20.9, 21.7]")


def test_a_narrow_interval_has_ends_that_differ() -> None:
    """However narrow an interval is, its ends are told apart, down to 1e-5."""
    for exponent in range(5):
        width = 3 * 10.0**-exponent
        _, interval = write_measurement(0.5, 0.5 - width / 2, 0.5 + width / 2, "plain")
        low, high = interval.strip("[]").split(", ")
        assert low != high


def test_without_an_interval_the_value_stands_alone() -> None:
    """A NaN end means that no interval is known."""
    assert write_measurement(0.4, math.nan, 0.5, "plain") == ("0.400", "")
    assert interval_decimals(0.4, math.nan, 0.5, "plain") == 2


def test_minus_is_a_minus_and_zero_has_none() -> None:
    """Negative numbers have a true minus sign; −0.00 is 0.00."""
    assert write_number(-0.031, 2) == "−0.03"
    assert write_number(-0.001, 2) == "0.00"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (4.23, "4.2 s"),
        (185, "3 min 5 s"),
        (4320, "1 h 12 min"),
        (14 * 86400 + 3600, "14 days 1 h"),
        (math.nan, "not measured: no time was kept"),
    ],
)
def test_durations_have_two_units(seconds: float, text: str) -> None:
    """A duration is written in the two largest units that matter."""
    assert write_duration(seconds) == text


def test_small_things() -> None:
    """Counts have thin spaces, weights no zeros, shares two significant digits."""
    assert write_count(12345) == "12\u202f345"
    assert (write_lambda(5.0), write_lambda(0.5), write_lambda(math.nan)) == ("5", "0.5", "–")
    shares = [write_share(share) for share in (0.234, 0.0234, 0.00234, 0.000234)]
    assert [text.removesuffix("\u202f%") for text in shares] == ["23", "2.3", "0.23", "0.023"]


@pytest.mark.parametrize(
    ("label", "within"),
    [("Distance to paintings (KID)", "distance to paintings (KID)"), ("SSIM", "SSIM"), ("", "")],
)
def test_a_label_within_a_sentence_begins_small(label: str, within: str) -> None:
    """But for abbreviations."""
    assert within_a_sentence(label) == within
