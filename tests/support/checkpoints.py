"""Comparison of checkpoints."""

from typing import Any

import torch


def differing(one: Any, other: Any, path: str = "") -> list[str]:
    """Name every place where two checkpoints are not the same, bit for bit."""
    if isinstance(one, torch.Tensor):
        return [] if torch.equal(one, other) else [path]
    if isinstance(one, dict):
        keys = {**one, **other}
        parts = [differing(one.get(key), other.get(key), f"{path}/{key}") for key in keys]
    elif isinstance(one, list) and len(one) == len(other):
        parts = [
            differing(a, b, f"{path}/{i}") for i, (a, b) in enumerate(zip(one, other, strict=True))
        ]
    else:
        return [] if one == other else [path]
    return [place for part in parts for place in part]
