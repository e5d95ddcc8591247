"""Each term of the objective against constants worked out by hand."""

import math

import pytest
import torch

from portrait_pipeline.cyclegan.losses import (
    Objective,
    cycle_consistency_loss,
    discriminator_adversarial_loss,
    full_objective,
    generator_adversarial_loss,
    identity_mapping_loss,
    perceptual_loss,
)

REAL = torch.tensor([0.5, 1.5]).reshape(1, 1, 1, 2)
FAKE = torch.tensor([0.0, 2.0, -1.0, 0.5]).reshape(1, 1, 2, 2)


def test_least_squares_of_a_generator():
    """((0-1)² + (2-1)² + (-1-1)² + (0.5-1)²) / 4 = (1 + 1 + 4 + 0.25) / 4."""
    loss = generator_adversarial_loss(FAKE, "least_squares")
    assert loss.item() == pytest.approx(6.25 / 4)


def test_least_squares_of_a_discriminator():
    """½ ((0.25 + 0.25) / 2 + (0 + 4 + 1 + 0.25) / 4) = ½ (0.25 + 1.3125)."""
    loss = discriminator_adversarial_loss(REAL, FAKE, "least_squares")
    assert loss.item() == pytest.approx(0.78125)


def test_log_of_a_generator_at_logits_of_known_probability():
    """σ(0) = 1/2 and σ(ln 3) = 3/4: (ln 2 + ln 4/3) / 2 = ln(8/3) / 2."""
    logits = torch.tensor([0.0, math.log(3.0)]).reshape(1, 1, 1, 2)
    loss = generator_adversarial_loss(logits, "log")
    assert loss.item() == pytest.approx(math.log(8 / 3) / 2, rel=1e-6)


def test_log_of_a_discriminator_at_logits_of_known_probability():
    """Real at 3/4 and fake at 3/4: ½ (ln 4/3 + ln 4) = ½ ln(16/3)."""
    logits = torch.tensor([math.log(3.0)]).reshape(1, 1, 1, 1)
    loss = discriminator_adversarial_loss(logits, logits, "log")
    assert loss.item() == pytest.approx(math.log(16 / 3) / 2, rel=1e-6)


def test_log_is_the_reports_formula_for_a_discriminator():
    """Law: minus twice the loss is log D(y) + log(1 - D(G(x))), in the mean (report, 4.2.1)."""
    expected = REAL.sigmoid().log().mean() + (1.0 - FAKE.sigmoid()).log().mean()
    loss = discriminator_adversarial_loss(REAL, FAKE, "log")
    assert -2.0 * loss.item() == pytest.approx(expected.item(), rel=1e-6)


def test_log_is_finite_at_extreme_logits():
    """Law: computed on logits, certainty costs its logit and never infinity."""
    logits = torch.full((1, 1, 1, 1), -200.0)
    assert generator_adversarial_loss(logits, "log").item() == pytest.approx(200.0)


@pytest.mark.parametrize("loss", [cycle_consistency_loss, identity_mapping_loss])
def test_l1_terms(loss):
    """|0.5 - 0|, |-1 - 1|, |0.25 - 0.25| in the mean: 2.5 / 3; black against white: 2."""
    images = torch.tensor([0.5, -1.0, 0.25]).reshape(1, 3, 1, 1)
    targets = torch.tensor([0.0, 1.0, 0.25]).reshape(1, 3, 1, 1)
    assert loss(images, targets).item() == pytest.approx(2.5 / 3)
    assert loss(torch.full((2, 3, 4, 4), -1.0), torch.ones(2, 3, 4, 4)).item() == 2.0


def test_perceptual_sum_is_the_squared_norm():
    """Equal 0, orthogonal 2, opposite 4; the mean over the batch of three is 2."""
    real = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    fake = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    each = [perceptual_loss(fake[i : i + 1], real[i : i + 1], "sum").item() for i in range(3)]
    assert each == [0.0, 2.0, 4.0]
    assert perceptual_loss(fake, real, "sum").item() == pytest.approx(2.0)


def test_perceptual_sum_is_twice_one_minus_cosine():
    """At 60° the cosine is ½, so that the loss is 2 (1 - ½) = 1."""
    real = torch.tensor([[1.0, 0.0]])
    fake = torch.tensor([[0.5, math.sqrt(3) / 2]])
    assert perceptual_loss(fake, real, "sum").item() == pytest.approx(1.0, rel=1e-6)


def test_perceptual_mean_is_smaller_by_the_dimension():
    """512 dimensions: opposite vectors are 4 / 512 apart."""
    real = torch.zeros(1, 512)
    real[0, 0] = 1.0
    assert perceptual_loss(-real, real, "mean").item() == pytest.approx(4.0 / 512)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_terms_are_float32_whatever_comes_in(dtype):
    """Law: losses keep their precision when the networks do not."""
    logits, images, vectors = torch.zeros(1, 1, 2, 2), torch.zeros(1, 3, 2, 2), torch.zeros(1, 4)
    assert generator_adversarial_loss(logits.to(dtype), "log").dtype == torch.float32
    assert cycle_consistency_loss(images.to(dtype), images).dtype == torch.float32
    assert perceptual_loss(vectors.to(dtype), vectors, "sum").dtype == torch.float32


def test_unknown_forms_are_refused():
    """Law: a closed set has no silent default."""
    with pytest.raises(ValueError, match="adversarial_loss is 'hinge'"):
        generator_adversarial_loss(FAKE, "hinge")
    with pytest.raises(ValueError, match="perceptual_reduction is 'max'"):
        perceptual_loss(torch.zeros(1, 2), torch.zeros(1, 2), "max")


def test_the_objective_is_the_weighted_sum_of_its_terms():
    """1 + 10 · 0.5 + 5 · 0.2 + 3 · 2 = 13; without the optional terms 1 + 10 · 0.5 = 6."""
    objective = Objective("least_squares", 10.0, 5.0, 3.0, None, "sum")
    terms = {"adversarial_loss": 1.0, "cycle_consistency_loss": 0.5}
    optional = {"identity_mapping_loss": 0.2, "perceptual_loss": 2.0}
    assert full_objective(terms | optional, objective) == pytest.approx(13.0)
    assert full_objective(terms, objective) == pytest.approx(6.0)
