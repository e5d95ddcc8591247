"""Measure everything, one part after the other: `make bench`, or `python -m benchmarks`."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT.parent / "shared" / "pictures"
PARTS = ("step", "ssim", "portraits")
PARTS_ON_PICTURES = ("detection", "ingestion_memory")


def main() -> int:
    """Run each part in a process of its own; return 1 if one of them failed."""
    failed = [part for part in PARTS if _run(part)]
    if PICTURES.is_dir():
        failed += [part for part in PARTS_ON_PICTURES if _run(part)]
    else:
        print(f"skipped, without ../shared/pictures: {', '.join(PARTS_ON_PICTURES)}")
    if failed:
        print(f"failed: {', '.join(failed)}")
    return int(bool(failed))


def _run(part: str) -> int:
    print(f"\n== {part}", flush=True)
    return subprocess.run(
        [sys.executable, "-m", f"benchmarks.{part}"], cwd=ROOT, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
