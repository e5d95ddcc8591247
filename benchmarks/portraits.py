"""Time portraits with PyTorch, ONNX Runtime and, where it is installed, OpenVINO; cold starts too.

    python -m benchmarks.portraits [--size-px 256] [--filters 64] [--blocks 9] [--rounds 3]

The generator has the report's shape and random weights, which take as long as trained ones. Rounds
of the runtimes alternate and the shortest counts. A cold start is a new process from its first
import to its first portrait.
"""

import argparse
import importlib.util
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

TORCH_START = """
import sys, numpy, torch
from portrait_pipeline.portrayal.torch_model import checkpoint_model
model = checkpoint_model(torch.load(sys.argv[1] + "/model.pt", weights_only=False))
model.painter(numpy.load(sys.argv[1] + "/export/example.npy"))
"""
ONNX_START = """
import sys, numpy
from pathlib import Path
from portrait_pipeline.datasets.onnx_model import read_export
from portrait_pipeline.portrayal.exported import exported_model
exported = read_export(Path(sys.argv[1], "export"))
exported_model(exported).painter(exported.example)
"""
BATCHES = (1, 8)


def main() -> None:
    """Print portraits per second and seconds of a cold start for each runtime."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        painters = _prepare(options, Path(folder))
        for batch in BATCHES:
            rates = _rates(painters, batch, options)
            print(f"batch {batch}: " + ", ".join(f"{n} {r:.2f}/s" for n, r in rates.items()))
        for name, code in (("PyTorch", TORCH_START), ("ONNX Runtime", ONNX_START)):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code, folder], check=True)
            print(f"cold start to the first portrait: {name} {time.perf_counter() - start:.1f} s")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time portraits by runtime.")
    parser.add_argument("--size-px", type=int, default=256)
    parser.add_argument("--filters", type=int, default=64)
    parser.add_argument("--blocks", type=int, default=9)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def _prepare(
    options: argparse.Namespace, folder: Path
) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    import torch  # noqa: PLC0415

    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from support.tiny_model import tiny_checkpoint  # noqa: PLC0415

    from portrait_pipeline.datasets.onnx_model import write_export  # noqa: PLC0415
    from portrait_pipeline.portrayal.exported import exported_model  # noqa: PLC0415
    from portrait_pipeline.portrayal.exporting import export_model  # noqa: PLC0415
    from portrait_pipeline.portrayal.torch_model import checkpoint_model  # noqa: PLC0415

    checkpoint = tiny_checkpoint(
        image_size_px=options.size_px,
        num_generator_filters=options.filters,
        num_residual_blocks=options.blocks,
    )
    example = np.zeros((1, options.size_px, options.size_px, 3), np.uint8)
    exported = export_model(checkpoint, True, example)
    torch.save(checkpoint, folder / "model.pt")
    write_export(folder / "export", exported)
    painters = {
        "PyTorch": checkpoint_model(checkpoint).painter,
        "ONNX Runtime": exported_model(exported).painter,
    }
    if importlib.util.find_spec("openvino") is not None:
        painters["OpenVINO"] = _openvino_painter(exported.networks["generator"])
    for paint in painters.values():
        paint(example)
    return painters


def _openvino_painter(network: bytes) -> Callable[[np.ndarray], np.ndarray]:
    import openvino  # noqa: PLC0415

    core = openvino.Core()
    compiled = core.compile_model(core.read_model(network, b""), "CPU")
    return lambda crops: compiled(crops)[0]


def _rates(
    painters: dict[str, Callable[[np.ndarray], np.ndarray]],
    batch: int,
    options: argparse.Namespace,
) -> dict[str, float]:
    shape = (batch, options.size_px, options.size_px, 3)
    crops = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    best = dict.fromkeys(painters, float("inf"))
    for _ in range(options.rounds):
        for name, paint in painters.items():
            start = time.perf_counter()
            paint(crops)
            best[name] = min(best[name], time.perf_counter() - start)
    return {name: batch / seconds for name, seconds in best.items()}


if __name__ == "__main__":
    main()
