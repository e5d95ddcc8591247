"""Laws of the running average."""

import pytest
import torch

from portrait_pipeline.cyclegan.state import averaged_copy, update_average


def _network(value: float) -> torch.nn.Module:
    network = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(network.weight, value)
    return network


def test_it_follows_the_formula():
    """D = (1 + t) / (10 + t) at t = 0, 1: 0.1 · 1 + 0.9 · 2 = 1.9; 2/11 · 1.9 + 9/11 · 4."""
    averaged = averaged_copy(_network(1.0))
    update_average(averaged, _network(2.0), 0.999, 0)
    assert averaged.weight.item() == pytest.approx(1.9)
    update_average(averaged, _network(4.0), 0.999, 1)
    assert averaged.weight.item() == pytest.approx(2 / 11 * 1.9 + 9 / 11 * 4.0)


def test_late_it_decays_as_asked():
    """Law: after many steps d is the parameter: 0.75 · 1 + 0.25 · 5 = 2."""
    averaged = averaged_copy(_network(1.0))
    update_average(averaged, _network(5.0), 0.75, 10_000)
    assert averaged.weight.item() == pytest.approx(2.0)


def test_no_decay_is_the_network_itself():
    """Law: decay 0 copies the weights."""
    averaged = averaged_copy(_network(1.0))
    update_average(averaged, _network(5.0), 0.0, 10_000)
    assert averaged.weight.item() == 5.0


def test_it_is_frozen_and_apart():
    """Law: the average is in eval mode, trains nothing and shares no memory."""
    network = _network(1.0)
    averaged = averaged_copy(network)
    assert not averaged.training
    assert not averaged.weight.requires_grad
    assert averaged.weight.data_ptr() != network.weight.data_ptr()
