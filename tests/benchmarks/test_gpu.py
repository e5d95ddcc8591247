"""The benchmark of GPUs runs where there is none, so that it is whole when there is one."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import runpy, sys
from benchmarks.gpu import union_us
assert union_us([(0, 4), (2, 5), (7, 8), (7, 7.5)]) == 6
runpy.run_module("benchmarks.gpu", run_name="__main__", alter_sys=True)
"""


def test_the_quick_benchmark_measures_everything(tmp_path: Path) -> None:
    """Law: every variant, the epoch and the portraits have figures; the card is named.

    Kernels' intervals count once where they overlap.
    """
    out = tmp_path / "gpu.json"
    finished = subprocess.run(
        [sys.executable, "-c", RUN, "--device", "cpu", "--quick", "--out", str(out)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    found = json.loads(out.read_text())
    assert len(found["steps"]) == 2
    for variants in found["steps"].values():
        assert list(variants) == ["textbook", "tuned textbook", "ours"]
        assert all(row["median_s"] > 0.0 for row in variants.values())
    for name in ("epoch_s", "step_tflop_per_s", "matrix_tflop_per_s"):
        assert found[name] > 0.0
    assert found["portraits_per_s"].keys() == {"1", "2"}
    assert {"card", "versions", "command", "date"} <= found.keys()
    assert "proposed" in finished.stdout
