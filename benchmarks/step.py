# ruff: noqa: PLC0415  each process imports only what it measures
"""The training step beside the textbook's: time, memory, growth, and the machine's limit.

    python -m benchmarks.step            all sizes (about half an hour on two quiet cores)
    python -m benchmarks.step --quick    the smallest size, three repeats

Every size runs in a process of its own, in which the textbook's and the pipeline's steps alternate;
what is told is the median and the quartiles of the repeats. Peak memory is what a process needs
beyond its libraries and teacher, one process for each step. Run it while nothing else runs.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
STEPS = ("textbook baseline", "our baseline", "textbook proposed", "our proposed")
AIMS = {
    (64, 32): {"baseline": 0.85, "proposed": 0.75, "cost": 1.35, "memory": 1.0},
    (128, 64): {"baseline": 0.92, "proposed": 0.90, "cost": 1.10, "memory": 1.0},
}


@dataclass(frozen=True)
class Size:
    """What is trained: picture size, filters, residual blocks, pictures a step."""

    size_px: int
    filters: int
    blocks: int
    batch: int = 1

    def __str__(self) -> str:
        return (
            f"{self.size_px} px, {self.filters} filters, {self.blocks} blocks, batch {self.batch}"
        )


SIZES = (Size(64, 32, 6), Size(128, 32, 6), Size(128, 64, 9))
GROWTH = (Size(32, 32, 6), Size(96, 32, 6), Size(64, 32, 6, 2), Size(64, 32, 6, 4))


def make_step(name: str, size: Size, teacher: Any) -> Callable[[], object]:
    """Build one of `STEPS` on fixed noise; each starts from the same kind of weights."""
    import torch

    generator = torch.Generator().manual_seed(0)
    shape = (2, size.batch, 3, size.size_px, size.size_px)
    x, y = torch.rand(shape, generator=generator) * 2 - 1
    lambda_p = 5.0 if name.endswith("proposed") else 0.0
    if name.startswith("textbook"):
        from benchmarks.textbook import TextbookStep, discriminator
        from benchmarks.textbook import generator as network

        nets = [network(size.filters, size.blocks) for _ in range(2)]
        step = TextbookStep(*nets, *(discriminator(size.filters) for _ in range(2)))
        return lambda: step(x, y, teacher if lambda_p else None, lambda_p)
    return _our_step(size, lambda_p, teacher, (x, y))


def _our_step(size: Size, lambda_p: float, teacher: Any, pictures: Any) -> Callable[[], object]:
    import torch
    from lightning_fabric import Fabric

    from portrait_pipeline.cyclegan.batches import Batch
    from portrait_pipeline.cyclegan.schedule import objective_at
    from portrait_pipeline.cyclegan.state import build_state
    from portrait_pipeline.cyclegan.step import StepContext, training_step

    fabric, settings = Fabric(accelerator="cpu", devices=1), parameters(size, lambda_p)
    with torch.no_grad():
        batch = Batch(*pictures, *map(teacher, pictures))
    state, objective = build_state(settings, fabric.device), objective_at(settings, 0, 1)
    step_context = StepContext(fabric, teacher if lambda_p else None, settings.ema_decay)
    return lambda: training_step(state, batch, objective, step_context)


def parameters(size: Size, lambda_p: float) -> Any:
    """Return the report's settings (`conf/base`) at this size."""
    import yaml

    from portrait_pipeline.parameters import TrainingParameters

    text = (ROOT / "conf/base/parameters_training.yml").read_text(encoding="utf-8")
    settings = yaml.safe_load(text)["training"]
    own = {
        "seed": 0,
        "resume": False,
        "image_size_px": size.size_px,
        "num_generator_filters": size.filters,
        "num_discriminator_filters": size.filters,
        "num_residual_blocks": size.blocks,
        "batch_size": size.batch,
        "lambda_perceptual": lambda_p,
        "teacher": "dlib",
        "num_epochs": 1,
        "allow_cpu": True,
    }
    return TrainingParameters(**(settings | own))


def measure_times(size: Size, repeats: int) -> dict[str, list[float]]:
    """Alternate all steps and return their seconds; the first of each is not counted."""
    from portrait_pipeline.identity import load_embedder

    teacher = load_embedder("dlib")
    steps = {name: make_step(name, size, teacher) for name in STEPS}
    seconds: dict[str, list[float]] = {name: [] for name in STEPS}
    for _ in range(repeats + 1):
        for name, step in steps.items():
            begin = time.perf_counter()
            step()
            seconds[name].append(time.perf_counter() - begin)
    return {name: times[1:] for name, times in seconds.items()}


def measure_memory(size: Size, name: str) -> float:
    """Return the peak of one step's resident memory in MB, less what libraries and teacher hold."""
    from portrait_pipeline.identity import load_embedder

    teacher, small = load_embedder("dlib"), Size(32, 2, 1)
    make_step(name, small, teacher)()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _memory_mb("VmRSS")
    step = make_step(name, size, teacher)
    for _ in range(4):
        step()
    return _memory_mb("VmHWM") - before


def _memory_mb(field: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))


def measure_rate(size: Size) -> dict[str, float]:
    """Return GFLOP/s of a large matrix product, of the textbook's and of our baseline step."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    steps = {name: make_step(name, size, None) for name in ("textbook baseline",)}
    with FlopCounterMode(display=False) as counter:
        steps["textbook baseline"]()
    matrix = torch.rand(3072, 3072)
    steps["matrix product"] = lambda: matrix @ matrix
    flops = {"textbook baseline": counter.get_total_flops(), "matrix product": 2 * 3072**3}
    return {name: flops[name] / _median_seconds(step) / 1e9 for name, step in steps.items()}


def _median_seconds(step: Callable[[], object], repeats: int = 5) -> float:
    times = []
    for _ in range(repeats + 1):
        begin = time.perf_counter()
        step()
        times.append(time.perf_counter() - begin)
    return statistics.median(times[1:])


def measure_epoch_start(num_pictures: int) -> float:
    """Return the seconds until the first batch of an epoch over so many 64 px pictures."""
    import numpy as np

    from portrait_pipeline.cyclegan.batches import UnpairedBatches
    from portrait_pipeline.cyclegan.data import TrainingData
    from portrait_pipeline.images import FaceSet

    pixels = np.broadcast_to(np.zeros((1, 64, 64, 3), np.uint8), (num_pictures, 64, 64, 3))
    faces = FaceSet(tuple(map(str, range(num_pictures))), pixels)
    batches = UnpairedBatches(TrainingData(faces, faces), 1, True, 0)
    begin = time.perf_counter()
    next(batches.epoch(0))
    return time.perf_counter() - begin


def in_a_process(task: str, **arguments: Any) -> Any:
    """Run one measurement in a fresh process and return its result."""
    command = [sys.executable, "-m", "benchmarks.step", "--task", task, json.dumps(arguments)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(answer.stdout.splitlines()[-1])


def run_task(task: str, arguments: dict[str, Any]) -> Any:
    """Do, in this process, what `in_a_process` asked for."""
    if "size" in arguments:
        arguments["size"] = Size(**arguments["size"])
    match task:
        case "times":
            return measure_times(**arguments)
        case "memory":
            return measure_memory(**arguments)
        case "rate":
            return measure_rate(**arguments)
        case "epoch_start":
            return measure_epoch_start(**arguments)
        case _:
            raise ValueError(f"task is {task!r}")


def report_size(size: Size, repeats: int, with_memory: bool) -> None:
    """Print times, ratios and memory of one size."""
    times = in_a_process("times", size=asdict(size), repeats=repeats)
    print(f"\n{size}")
    for name, seconds in times.items():
        low, median, high = statistics.quantiles(seconds, n=4)
        print(f"  {name:18} {median:7.3f} s a step  [{low:.3f}, {high:.3f}]")
    aims = AIMS.get((size.size_px, size.filters), {}) if size.batch == 1 else {}
    median = {name: statistics.median(seconds) for name, seconds in times.items()}
    for model in ("baseline", "proposed"):
        ratio = median[f"our {model}"] / median[f"textbook {model}"]
        _say(f"{model}: ours / textbook", ratio, aims.get(model))
    _say("λ_p > 0 / λ_p = 0", median["our proposed"] / median["our baseline"], aims.get("cost"))
    if with_memory:
        memory = {name: in_a_process("memory", size=asdict(size), name=name) for name in STEPS}
        for name, peak in memory.items():
            print(f"  {name:18} {peak:7.0f} MB at its peak")
        for model in ("baseline", "proposed"):
            ratio = memory[f"our {model}"] / memory[f"textbook {model}"]
            _say(f"{model}: memory, ours / textbook", ratio, aims.get("memory"))


def _say(what: str, ratio: float, aim: float | None) -> None:
    verdict = ""
    if aim is not None:
        verdict = f"  aim ≤ {aim:.2f}: {'reached' if ratio <= aim else 'missed'}"
    print(f"  {what:36} {ratio:5.2f}{verdict}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="smallest size, three repeats")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--task", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        print(json.dumps(run_task(options.task[0], json.loads(options.task[1]))))
        return
    cores = os.environ.get("OMP_NUM_THREADS", os.cpu_count())
    print(f"{platform.processor() or platform.machine()}, {cores} threads, {platform.platform()}")
    repeats = 3 if options.quick else options.repeats
    for size in SIZES[:1] if options.quick else SIZES:
        report_size(size, repeats, with_memory=True)
    rate = in_a_process("rate", size=asdict(SIZES[0] if options.quick else SIZES[2]))
    print("\nGFLOP/s: " + ", ".join(f"{name} {value:.0f}" for name, value in rate.items()))
    if options.quick:
        return
    for size in GROWTH:
        report_size(size, repeats, with_memory=False)
    for count in (1_000, 10_000, 100_000):
        seconds = in_a_process("epoch_start", num_pictures=count)
        print(f"an epoch over {count:,} pictures starts after {seconds * 1000:.0f} ms")


if __name__ == "__main__":
    main()
