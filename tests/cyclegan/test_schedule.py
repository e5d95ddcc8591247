"""Laws of what changes with time."""

import pytest
from pydantic import ValidationError

from portrait_pipeline.cyclegan.schedule import learning_rate_at, needs_embedder, objective_at


def test_the_report_keeps_the_learning_rate(parameters):
    """Law: without decay epochs the rate is the parameter's, to the last epoch."""
    settings = parameters(num_epochs=50)
    assert [learning_rate_at(settings, epoch) for epoch in (0, 49)] == [0.0002] * 2


def test_the_rate_decays_linearly(parameters):
    """Six epochs, three of decay: 1, 1, 1, then 3/4, 2/4, 1/4 of the rate."""
    settings = parameters(num_epochs=6, num_decay_epochs=3, learning_rate=4.0)
    rates = [learning_rate_at(settings, epoch) for epoch in range(6)]
    assert rates == pytest.approx([4.0, 4.0, 4.0, 3.0, 2.0, 1.0])


def test_lambda_warms_up_step_by_step(parameters):
    """Two epochs of four steps: λ_p rises by an eighth each step, then stays."""
    settings = parameters(lambda_perceptual=8.0, perceptual_warmup_epochs=2)
    weights = [objective_at(settings, step, 4).lambda_perceptual for step in range(10)]
    assert weights == pytest.approx([1, 2, 3, 4, 5, 6, 7, 8, 8, 8])


def test_a_wanted_share_takes_the_place_of_lambda(parameters):
    """Law: with `perceptual_gradient_share` a fixed λ_p does not count; it warms up as well."""
    settings = parameters(
        lambda_perceptual=5.0, perceptual_gradient_share=0.5, perceptual_warmup_epochs=1
    )
    first, later = objective_at(settings, 0, 4), objective_at(settings, 9, 4)
    assert (first.perceptual_gradient_share, later.perceptual_gradient_share) == (0.125, 0.5)
    assert first.lambda_perceptual == 0.0
    assert first.is_perceptual


def test_the_baseline_needs_no_teacher(parameters):
    """Law: only λ_p = 0 without a wanted share does without a face network."""
    assert not needs_embedder(parameters())
    assert not objective_at(parameters(), 0, 1).is_perceptual
    assert needs_embedder(parameters(lambda_perceptual=0.1))
    assert needs_embedder(parameters(perceptual_gradient_share=0.1))


def test_early_stopping_asks_for_a_metric(parameters):
    """Law: patience without something to wait for is refused."""
    with pytest.raises(ValidationError, match="early_stop_patience is 2, expected a selection"):
        parameters(early_stop_patience=2)


@pytest.mark.parametrize(("share", "left"), [(1.0, 1.0), (0.1, 0.55), (0.0, 0.5)])
def test_lambda_cycle_falls_to_its_share(parameters, share, left):
    """Law: λ_c at first, linear from step to step, its share at the end; 1 leaves it as it is."""
    settings = parameters(num_epochs=4, lambda_cycle=10.0, lambda_cycle_final_share=share)
    weights = [objective_at(settings, step, 5).lambda_cycle for step in (0, 10, 20)]
    assert weights == pytest.approx([10.0, 10.0 * left, 10.0 * share])
