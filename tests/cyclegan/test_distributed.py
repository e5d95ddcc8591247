"""Laws of the processes: what is refused, and a training on two of them.

They talk through gloo on a CPU; on GPUs nccl takes the same path.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from portrait_pipeline.cyclegan import distributed
from portrait_pipeline.cyclegan.distributed import for_device, start_fabric
from portrait_pipeline.errors import PortraitPipelineError

SCRIPT = Path(__file__).with_name("two_processes.py")


def test_the_precision_follows_the_machine(parameters):
    """Law: `auto` is 32-true on a CPU; bf16-mixed may be asked for."""
    assert start_fabric(parameters(precision="auto"))._precision.precision == "32-true"
    half = start_fabric(parameters(precision="bf16-mixed"))
    assert half._precision.precision == "bf16-mixed"


def test_what_the_machine_lacks_is_refused(parameters):
    """Law: absent devices, devices without processes, float16 on a CPU: one sentence each."""
    with pytest.raises(PortraitPipelineError, match=r"devices is 2.*torchrun --nproc-per-node=2"):
        start_fabric(parameters(devices=2))
    with pytest.raises(PortraitPipelineError, match=r"16-mixed.*training\.precision=auto"):
        start_fabric(parameters(precision="16-mixed"))
    if not torch.backends.mps.is_available():
        with pytest.raises(
            PortraitPipelineError, match=r"mps, but only.*training\.accelerator=auto"
        ):
            start_fabric(parameters(accelerator="mps"))


@pytest.mark.parametrize(
    ("world", "strategy", "given"),
    [("1", "auto", "auto"), ("1", "ddp", "ddp"), ("2", "auto", "ddp"), ("2", "ddp", "ddp")],
)
def test_several_processes_train_one_model(parameters, monkeypatch, world, strategy, given):
    """Law: `auto` is ddp as soon as torchrun started several; asked for, ddp holds for one too."""
    asked = []

    class Recorder:
        def __init__(self, **settings):
            asked.append(settings)

        def launch(self):
            pass

    monkeypatch.setattr(distributed, "Fabric", Recorder)
    monkeypatch.setenv("WORLD_SIZE", world)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "1")
    start_fabric(parameters(strategy=strategy))
    assert (asked[0]["strategy"], asked[0]["num_nodes"]) == (given, int(world))


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    """The folder that two processes under torchrun have written to, until one was killed."""
    folder = tmp_path_factory.mktemp("processes")
    paths = [str(SCRIPT.parents[1]), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    finished = subprocess.run(
        [*command, str(SCRIPT), str(folder)],
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode != 0
    assert (folder / "lost-0.pt").exists(), finished.stderr[-3000:]
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


def test_a_process_that_is_killed_ends_the_training_with_a_reason(results):
    """Law: the other one closes the run as failed, keeps what was saved and says how to go on."""
    lost = _load(results / "lost-0.pt")
    assert "process 0 of 2 has lost another one" in lost["message"]
    assert "go on with `--params resume=true`" in lost["message"]
    assert lost["steps"] == sorted(set(lost["steps"]))
    assert lost["steps"]
    assert lost["statuses"] == ["FAILED"]
    assert not (results / "lost-1.pt").exists()


def test_automatic_settings_follow_the_device(parameters):
    """Law: `auto` changes nothing on a CPU; on a GPU it is the fast form; what is set stays."""
    automatic = parameters(channels_last="auto", cuda_graph="auto")
    on_cpu = for_device(automatic, torch.device("cpu"))
    assert (on_cpu.channels_last, on_cpu.cuda_graph) == (False, False)
    on_gpu = for_device(automatic, torch.device("cuda"))
    assert (on_gpu.channels_last, on_gpu.cuda_graph) == (True, True)
    scaled = for_device(
        automatic.model_copy(update={"precision": "16-mixed"}), torch.device("cuda")
    )
    assert scaled.cuda_graph is False
    assert for_device(parameters(channels_last=True), torch.device("cpu")).channels_last is True
    with pytest.raises(PortraitPipelineError, match=r"cuda_graph is true.*cuda_graph=auto"):
        for_device(parameters(cuda_graph=True), torch.device("cpu"))
