"""Laws of what a training reports about itself."""

import logging
from typing import Any

import pytest
import torch

from portrait_pipeline.cyclegan.monitoring import peak_memory_mb
from portrait_pipeline.cyclegan.train import train_cyclegan
from portrait_pipeline.errors import PortraitPipelineError

CPU = torch.device("cpu")


NAMED: dict[str, Any] = {"model_name": "baseline", "preparation": {"margin": 0.35}}


def test_memory_is_in_megabytes():
    """Law: this process has more than 50 MB and less than a terabyte."""
    assert 50.0 < peak_memory_mb(CPU) < 1e6


def test_without_a_gpu_it_estimates_and_stops(data, parameters, services, tracker):
    """Law: the estimate, `allow_cpu=true` and `--env=sample` are named before any work."""
    with pytest.raises(PortraitPipelineError, match=r"about .* on this CPU.*--env=sample.*allow_c"):
        train_cyclegan(data, parameters(allow_cpu=False), services, **NAMED)
    assert tracker.starts == []


def test_it_says_how_long_it_takes(data, parameters, services, caplog):
    """Law: one line with steps, seconds per step, time to the end and memory."""
    with caplog.at_level(logging.INFO, logger="portrait_pipeline"):
        train_cyclegan(data, parameters(), services, **NAMED)
    lines = [record.getMessage() for record in caplog.records if "to go" in record.getMessage()]
    assert len(lines) == 1
    assert "baseline: 15 steps of" in lines[0]
    assert "MB of memory" in lines[0]


def test_a_term_that_does_nothing_is_warned_of(data, parameters, services, teacher, caplog):
    """Law: below 1 % of the gradient a warning names the share and λ_p."""
    settings = parameters(lambda_perceptual=1e-6, num_epochs=1)
    train_cyclegan(data, settings, services, embedder=teacher, **NAMED)
    assert "the perceptual term has" in caplog.text
    caplog.clear()
    settings = parameters(perceptual_gradient_share=0.2, num_epochs=1)
    checkpoint = train_cyclegan(data, settings, services, embedder=teacher, **NAMED)
    assert "the perceptual term has" not in caplog.text
    row = checkpoint["history"][0]
    assert row["perceptual_gradient_share"] == pytest.approx(0.2, rel=1e-3)
    assert row["lambda_perceptual"] > 0.0


def test_pictures_and_curves_are_tracked(data, parameters, services, tracker):
    """Law: a row per epoch, a grid every few epochs, the settings once."""
    settings = parameters(num_epochs=4, sample_grid_every_epochs=2)
    train_cyclegan(data, settings, services, **NAMED)
    assert [epoch for epoch, _ in tracker.rows] == [1, 2, 3, 4]
    assert tracker.images == [("sample_grid", e, (5 * 32, 3 * 32, 3)) for e in (2, 4)]
    wanted = {"cycle_consistency_loss", "weighted_cycle_consistency_loss", "discriminator_loss"}
    assert wanted <= tracker.rows[0][1].keys()
    assert tracker.starts[0][1]["num_epochs"] == 4
    assert tracker.statuses == ["FINISHED"]
