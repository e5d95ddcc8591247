import pytest

from portrait_pipeline.report.measures import BY_KEY, HEADLINE_KEYS, MEASURES, Measure, measures_of


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: str(measure.key))
def test_a_measure_explains_itself(measure: Measure) -> None:
    """It has a label, one sentence of meaning, and a reason for a missing number without a stop."""
    assert measure.label
    assert measure.meaning.endswith(".")
    assert not measure.why_missing.endswith(".")
    assert measure.better in ("higher", "lower", "neither")


def test_keys_are_unique_and_the_headline_has_known_ones() -> None:
    """No two measures read one column, and the headline shows measures that exist."""
    assert len(BY_KEY) == len(MEASURES)
    assert set(HEADLINE_KEYS) <= BY_KEY.keys()


@pytest.mark.parametrize("column", ["swd_32px", "swd_32_px", "swd_level_32"])
def test_levels_of_swd_follow_it(column: str) -> None:
    """The levels that a table has stand behind the whole distance, the largest first."""
    keys = [measure.key for measure in measures_of(["swd", "swd_16px", column, "ssim"])]
    place = keys.index("swd")
    assert keys[place + 1 : place + 3] == [column, "swd_16px"]
    assert len(keys) == len(MEASURES) + 2
