"""The time that a whole run will still take."""

import pytest
from kedro.pipeline import node

from portrait_pipeline.hooks.time_left import TimeLeft


def nodes(*names: str) -> list[object]:
    """Nodes that do nothing, `model.function` in the namespace of its model."""
    made = []
    for name in names:
        model, _, function = name.rpartition(".")
        made.append(node(sorted, "given", name, name=function, namespace=model or None))
    return made


def test_the_rest_goes_on_at_the_pace_of_what_is_done() -> None:
    """Law: twice as slow so far, twice as much left; half done, as much left as is gone."""
    for seconds, words in ((60.0, "about 60 s left"), (600.0, "about 10 min left")):
        left = TimeLeft(nodes("a.train_model", "b.train_model"), {})
        left.add("a.train_model", seconds)
        assert left.in_words() == words


def test_what_an_earlier_run_measured_counts_before_what_is_typical() -> None:
    """A node that took nine tenths of the time then leaves nine tenths now."""
    left = TimeLeft(nodes("quick", "a.train_model"), {"quick": 10.0, "a.train_model": 90.0})
    left.add("quick", 20.0)
    assert left.in_words() == "about 3 min left"


@pytest.mark.parametrize("first", [True, False])
def test_a_model_that_was_trained_before_says_nothing_of_the_pace(first: bool) -> None:
    """Whether it comes first or last: the other training goes on at the pace of the first."""
    left = TimeLeft(nodes("a.train_model", "b.train_model", "c.train_model"), {})
    done = [("b.train_model", 600.0), ("a.train_model", 1.0)]
    for name, seconds in reversed(done) if first else done:
        left.add(name, seconds)
    assert left.in_words() == "about 10 min left"


def test_a_short_training_counts_less() -> None:
    """The trainings that choose λ_p are not as long as that of a model."""
    seconds = []
    for model in ("tuning.lambda_1", "proposed"):
        left = TimeLeft(nodes(f"{model}.train_model", "baseline.train_model"), {})
        left.add(f"{model}.train_model", 100.0)
        seconds.append(left.in_words())
    assert seconds == ["about 6 min left", "about 2 min left"]


@pytest.mark.parametrize("done", [[], ["summarise"], ["a.train_model", "summarise"]])
def test_nothing_is_said_at_the_beginning_and_at_the_end(done: list[str]) -> None:
    """After a hundredth of the work nobody knows; after all of it nothing is left."""
    left = TimeLeft(nodes("summarise", "a.train_model"), {})
    for name in done:
        left.add(name, 1.0)
    assert left.in_words() == ""
