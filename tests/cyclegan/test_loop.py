"""Laws of a whole training."""

from typing import Any

import torch

from portrait_pipeline.cyclegan.loop import train_cyclegan

NAMED: dict[str, Any] = {"model_name": "baseline", "preparation": {"margin": 0.35}}


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return one == other


def _without_settings(checkpoint: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in checkpoint.items() if key != "parameters"}


def test_two_trainings_with_one_seed_are_bit_identical(data, parameters, around, two_threads):
    """Law: the seed decides everything, also with the two cycles in two threads."""
    first = train_cyclegan(data, parameters(), around, **NAMED)
    second = train_cyclegan(data, parameters(), around, **NAMED)
    first["tracking_id"] = second["tracking_id"]
    assert _equal(first, second)
    assert first["step"] == 15
    assert len(first["history"]) == 3
