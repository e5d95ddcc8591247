"""What a test can change of its process, and what the tests after it would see."""

import logging
import os
import signal
import sys

OF_OTHERS = ("PYTEST_", "_MLFLOW_TELEMETRY_", "RAY_", "TORCHINDUCTOR_")
"""Variables that pytest, MLflow, Ray and PyTorch's compiler change whenever they like."""


def process_state() -> dict[str, object]:
    """Return environment, current folder, logging, Ctrl-C and PyTorch's settings."""
    root = logging.getLogger()
    handlers = [each for each in root.handlers if not type(each).__module__.startswith("_pytest")]
    state: dict[str, object] = {
        f"the variable {name}": value
        for name, value in os.environ.items()
        if not name.startswith(OF_OTHERS)
    }
    state |= {
        "what Ctrl-C does": signal.getsignal(signal.SIGINT),
        "the current folder": os.getcwd(),
        "the handlers of logs": tuple(handlers),
        "the level of logs": (root.level, root.manager.disable),
    }
    if torch := sys.modules.get("torch"):
        state["PyTorch's threads"] = torch.get_num_threads()
        state["PyTorch's gradients"] = torch.is_grad_enabled()
        state["PyTorch's determinism"] = torch.are_deterministic_algorithms_enabled()
    return state


def changes(before: dict[str, object], after: dict[str, object]) -> list[str]:
    """List what differs; PyTorch may have been imported meanwhile."""
    names = sorted(before.keys() | after.keys())
    return [
        f"{name} was {before.get(name)!r} and is {after.get(name)!r}"
        for name in names
        if before.get(name) != after.get(name)
        and not (name.startswith("PyTorch") and name not in before)
    ]
