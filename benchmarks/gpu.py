"""The training step on a GPU beside a textbook's: time, memory, how busy the card is, an epoch.

    python -m benchmarks.gpu                        the report's sizes, at most four minutes
    python -m benchmarks.gpu --device cpu --quick   the same code on tiny sizes, in seconds

Prints a table and writes all figures, with card, versions, command and date, to `--out`. It needs
neither Kedro nor MLflow. The textbook runs (a) as PyTorch comes and (b) under bf16 autocast, with
channels_last and cuDNN's autotuning; all variants alternate, medians and quartiles are told.
"""

import argparse
import datetime
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import DeviceType
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.gpu_steps import (
    MODELS,
    NUM_PICTURES,
    Memory,
    TinyTeacher,
    noise,
    our_step,
    settings_for,
    textbook_step,
)
from benchmarks.step import Size
from portrait_pipeline.cyclegan.data import TrainingData
from portrait_pipeline.cyclegan.networks import ResnetGenerator
from portrait_pipeline.cyclegan.services import Services
from portrait_pipeline.cyclegan.train import train_cyclegan
from portrait_pipeline.identity import load_embedder

VARIANTS = ("textbook", "tuned textbook", "ours")


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    sizes: tuple[Size, ...]
    rounds: int
    steps_a_round: int
    profiled_steps: int
    num_pairs: int
    batches: tuple[int, ...]
    matrix: int


FULL = Plan(
    sizes=(Size(256, 64, 9), Size(128, 64, 9), Size(64, 32, 6)),
    rounds=5,
    steps_a_round=15,
    profiled_steps=50,
    num_pairs=1000,
    batches=(1, 8, 64),
    matrix=8192,
)
QUICK = Plan((Size(32, 2, 1),), 3, 1, 2, 3, (1, 2), 64)


def measure_steps(plan: Plan, size: Size, model: str, teacher: nn.Module, device: Any) -> dict:
    """Alternate the variants; return for each median, quartiles, peak memory and busy share."""
    runs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {}
    found: dict[str, dict[str, Any]] = {}
    for name in VARIANTS:
        before = _reset_memory(device)
        if name == "ours":
            before += 2 * NUM_PICTURES * size.size_px**2 * 3
            runs[name] = our_step(size, model, teacher, device)
        else:
            step = textbook_step(size, model, teacher, device, name == "tuned textbook")
            runs[name] = (step, lambda: None)
        _repeat(*runs[name], plan.steps_a_round, device)
        found[name] = {"peak_mb": _peak_mb(device, before)}
    seconds: dict[str, list[float]] = {name: [] for name in VARIANTS}
    for _ in range(plan.rounds):
        for name, (run, wait) in runs.items():
            seconds[name].append(_repeat(run, wait, plan.steps_a_round, device))
    for name, each in seconds.items():
        low, median, high = statistics.quantiles(each, n=4, method="inclusive")
        found[name] |= {"median_s": median, "quartiles_s": [low, high]}
        found[name]["busy_share"] = busy_share(*runs[name], plan.profiled_steps, device)
    return found


def _repeat(
    run: Callable[[], object], wait: Callable[[], object], count: int, device: torch.device
) -> float:
    """Return the seconds of one step, all queued work included."""
    _synchronise(device)
    begin = time.perf_counter()
    for _ in range(count):
        run()
    wait()
    _synchronise(device)
    return (time.perf_counter() - begin) / count


def busy_share(
    run: Callable[[], object], wait: Callable[[], object], count: int, device: torch.device
) -> float | None:
    """Return the union of all kernels' intervals over the wall time; None on a CPU."""
    if device.type != "cuda":
        return None
    activities = [torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as profiler:
        seconds = _repeat(run, wait, count, device) * count
    spans = [e.time_range for e in profiler.events() if e.device_type == DeviceType.CUDA]
    return union_us([(span.start, span.end) for span in spans]) / 1e6 / seconds


def union_us(spans: list[tuple[float, float]]) -> float:
    """Return the length that intervals cover together."""
    covered, reached = 0.0, float("-inf")
    for start, end in sorted(spans):
        covered += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return covered


def measure_flops(size: Size, teacher: nn.Module, device: torch.device) -> float:
    """Count the floating-point operations of one textbook step of the baseline."""
    step = textbook_step(size, "baseline", teacher, device, is_tuned=False)
    with FlopCounterMode(display=False) as counter:
        step()
    return float(counter.get_total_flops())


def measure_matrix_rate(edge: int, device: torch.device) -> float:
    """Return the TFLOP/s of a bf16 product of two square matrices."""
    matrix = torch.rand(edge, edge, device=device, dtype=torch.bfloat16)
    seconds = [_repeat(lambda: matrix @ matrix, lambda: None, 10, device) for _ in range(4)]
    return 2 * edge**3 / min(seconds) / 1e12


def measure_epoch(plan: Plan, size: Size, teacher: nn.Module, device: torch.device) -> float:
    """Return the seconds of a second epoch, with data, logging and the check of its weights."""
    changes = {"num_epochs": 2, "allow_cpu": True, "sample_grid_every_epochs": 100}
    settings = settings_for(size, "proposed", device).model_copy(update=changes)
    photos, paintings = (noise(plan.num_pairs, size.size_px, seed) for seed in (1, 2))
    memory = Memory()
    train_cyclegan(
        TrainingData(photos, paintings),
        settings,
        Services(memory, memory),
        model_name="benchmark",
        preparation={},
        embedder=teacher,
    )
    return memory.ends[1] - memory.ends[0]


@torch.inference_mode()
def measure_portraits(plan: Plan, size: Size, device: torch.device) -> dict[str, float]:
    """Return portraits a second for each batch size, in bf16 on a GPU."""
    network = ResnetGenerator(size.filters, size.blocks).eval()
    on_gpu = device.type == "cuda"
    network.to(device=device, memory_format=torch.channels_last)
    rates = {}
    for batch in plan.batches:
        images = torch.rand(batch, 3, size.size_px, size.size_px, device=device)

        def run(images: Tensor = images) -> Tensor:
            with torch.autocast(device.type, torch.bfloat16, enabled=on_gpu):
                return network(images)

        seconds = [_repeat(run, lambda: None, plan.steps_a_round, device) for _ in range(3)]
        rates[str(batch)] = batch / min(seconds)
    return rates


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _reset_memory(device: torch.device) -> int:
    """Forget the peak; return the bytes that are in use."""
    if device.type != "cuda":
        return 0
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    return torch.cuda.memory_allocated(device)


def _peak_mb(device: torch.device, before: int) -> float | None:
    if device.type != "cuda":
        return None
    return (torch.cuda.max_memory_allocated(device) - before) / 2**20


def measure(plan: Plan, device: torch.device, teacher: nn.Module) -> dict[str, Any]:
    """Measure everything and print each figure when it is there."""
    on_gpu = device.type == "cuda"
    found: dict[str, Any] = {
        "card": torch.cuda.get_device_name(device) if on_gpu else platform.machine(),
        "versions": {"torch": torch.__version__, "python": platform.python_version()},
        "cuda": torch.version.cuda,
        "command": " ".join(["python -m benchmarks.gpu", *sys.argv[1:]]),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "steps": {},
    }
    print(f"{found['card']}, {found['versions']}, {found['date']}")
    for size in plan.sizes:
        for model in MODELS:
            steps = measure_steps(plan, size, model, teacher, device)
            found["steps"][f"{size}, {model}"] = steps
            print(f"\n{size}, {model}")
            for name, row in steps.items():
                print(f"  {name:16} " + ", ".join(f"{key} {_short(row[key])}" for key in row))
    largest = plan.sizes[0]
    flops = measure_flops(largest, teacher, device)
    seconds = found["steps"][f"{largest}, baseline"]["ours"]["median_s"]
    proposed = found["steps"][f"{largest}, proposed"]["ours"]["median_s"]
    epoch = measure_epoch(plan, largest, teacher, device)
    found |= {
        "step_tflop_per_s": flops / seconds / 1e12,
        "matrix_tflop_per_s": measure_matrix_rate(plan.matrix, device),
        "epoch_s": epoch,
        "epoch_over_its_steps": epoch / (plan.num_pairs * proposed),
        "portraits_per_s": measure_portraits(plan, largest, device),
    }
    for name in list(found)[-5:]:
        print(f"{name}: {_short(found[name])}")
    return found


def _short(value: Any) -> str:
    match value:
        case float():
            return f"{value:.4g}"
        case list():
            return "[" + ", ".join(map(_short, value)) + "]"
        case dict():
            return ", ".join(f"{key}: {_short(part)}" for key, part in value.items())
        case _:
            return "–" if value is None else str(value)


def main(arguments: list[str] | None = None) -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--quick", action="store_true", help="tiny sizes and a stand-in teacher")
    parser.add_argument("--out", type=Path, default=Path("gpu.json"))
    options = parser.parse_args(arguments)
    if options.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("no NVIDIA GPU is seen; `--device cpu --quick` tries the code on a CPU")
    device = torch.device(options.device, 0) if options.device == "cuda" else torch.device("cpu")
    teacher = TinyTeacher() if options.quick else load_embedder("dlib")
    found = measure(QUICK if options.quick else FULL, device, teacher.to(device))
    options.out.write_text(json.dumps(found, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
