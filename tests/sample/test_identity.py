import numpy as np
import pytest
from support.drawn_people import average_person

from portrait_pipeline.sample.identity import FEMININE_PULL, draw_identity


def test_the_vector_holds_the_traits_in_order() -> None:
    """The first trait is femininity, the last one glasses; all are float32 in [-1, 1]."""
    vector = average_person(femininity=0.25, glasses=-0.5).vector
    assert vector.dtype == np.float32
    assert (vector[0], vector[-1]) == (0.25, -0.5)
    drawn = np.stack([draw_identity(np.random.default_rng(seed)).vector for seed in range(50)])
    assert np.abs(drawn).max() <= 1.0


@pytest.mark.parametrize("trait", sorted(FEMININE_PULL))
def test_some_traits_go_with_femininity(trait: str) -> None:
    """The mean of a pulled trait is on its side for women and on the other for men."""
    people = [draw_identity(np.random.default_rng(seed)) for seed in range(300)]
    women = np.mean([getattr(person, trait) for person in people if person.feminine])
    men = np.mean([getattr(person, trait) for person in people if not person.feminine])
    assert np.sign(women - men) == np.sign(FEMININE_PULL[trait])


def test_details_belong_to_the_person() -> None:
    """The same traits draw the same details, and a trait that differs draws others."""
    one, same, other = average_person(), average_person(), average_person(age=0.1)
    assert one.details().random() == same.details().random()
    assert one.details().random() != other.details().random()
