"""Laws of a training on two processes (gloo on a CPU; nccl on GPUs takes the same path)."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

SCRIPT = Path(__file__).with_name("two_processes.py")


def _run_two(folder: Path, task: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    return subprocess.run(
        [*command, str(SCRIPT), str(folder), task],
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(SCRIPT.parents[1])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    """The folder that two processes under torchrun have written to."""
    folder = tmp_path_factory.mktemp("processes")
    finished = _run_two(folder, "whole")
    assert finished.returncode == 0, finished.stderr[-3000:]
    return folder


def _load(path: Path) -> Any:
    return torch.load(path, weights_only=True)


def test_gradients_are_averaged(results):
    """Law: one step of two processes is the step of one with both batches, on both."""
    spec = importlib.util.spec_from_file_location("two_processes", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    alone = script.one_step(2)
    parts = [_load(results / f"step-{rank}.pt") for rank in (0, 1)]
    for weight, first, second in zip(alone, *parts, strict=True):
        assert torch.equal(first, second)
        assert (weight - first).norm() <= 1e-5 * weight.norm() + 1e-9


def test_both_processes_end_with_the_same_model(results):
    """Law: weights and history are equal, bit for bit, on all processes."""
    first, second = (_load(results / f"train-{rank}.pt")["whole"] for rank in (0, 1))
    for name, weights in first["networks"].items():
        for key, weight in weights.items():
            assert torch.equal(weight, second["networks"][name][key])
    assert first["history"] == second["history"]
    assert first["step"] == 6


def test_only_the_first_process_writes(results):
    """Law: states, points, runs and pictures are written once."""
    first, second = (_load(results / f"train-{rank}.pt")["written"] for rank in (0, 1))
    assert tuple(first) == (4, 2, 1, 2)
    assert tuple(second) == (0, 0, 0, 0)


def test_a_signal_to_one_process_stops_both_and_resuming_goes_on(results):
    """Law: both stop after the same step; resumed, the model is that of an unbroken training."""
    parts = [_load(results / f"train-{rank}.pt") for rank in (0, 1)]
    assert parts[0]["stopped_at"] == parts[1]["stopped_at"] > 0
    for part in parts:
        for name, weights in part["whole"]["networks"].items():
            for key, weight in weights.items():
                assert torch.equal(weight, part["resumed"]["networks"][name][key])
        assert part["whole"]["history"] == part["resumed"]["history"]


def test_a_process_that_is_killed_ends_the_training_with_a_reason(tmp_path):
    """Law: the other one closes the run as failed, keeps what was saved and says how to go on."""
    finished = _run_two(tmp_path, "lose")
    assert finished.returncode != 0
    lost = _load(tmp_path / "lost-0.pt")
    assert "process 0 of 2 has lost another one" in lost["message"]
    assert "go on with `--params resume=true`" in lost["message"]
    assert lost["steps"] == sorted(set(lost["steps"]))
    assert lost["steps"]
    assert lost["statuses"] == ["FAILED"]
    assert not (tmp_path / "lost-1.pt").exists()
