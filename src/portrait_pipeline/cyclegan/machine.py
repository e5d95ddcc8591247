"""The machine that a training runs on: device, precision, processes, speed and memory."""

import logging
import os
import resource
import time
from datetime import timedelta
from typing import Literal

import torch
from lightning_fabric import Fabric

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.parameters import TrainingParameters

Precision = Literal["32-true", "16-mixed", "bf16-mixed"]


def start_fabric(parameters: TrainingParameters) -> Fabric:
    """Set up Lightning Fabric for one process, or for those that torchrun started.

    Raises:
        PortraitPipelineError: if several devices are asked for in one process, or a device or a
            precision that this machine does not have.
    """
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    accelerator = _accelerator(parameters)
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if isinstance(parameters.devices, int) and parameters.devices > local:
        raise PortraitPipelineError(
            f"devices is {parameters.devices}, but {local} process was started here; start one for"
            f" each: `torchrun --nproc-per-node={parameters.devices} -m kedro run …`"
        )
    fabric = Fabric(
        accelerator=accelerator,
        devices=local,
        num_nodes=max(1, world // local),
        strategy="ddp" if world > 1 else parameters.strategy,
        precision=_precision(parameters, accelerator),
    )
    fabric.launch()
    if accelerator == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = parameters.allow_tf32
        torch.backends.cudnn.allow_tf32 = parameters.allow_tf32
        torch.backends.cudnn.benchmark = parameters.cudnn_autotune
    return fabric


def _accelerator(parameters: TrainingParameters) -> str:
    seen = "cpu"
    if torch.cuda.is_available():
        seen = "cuda"
    elif torch.backends.mps.is_available():
        seen = "mps"
    if parameters.accelerator not in ("auto", "cpu", seen):
        raise PortraitPipelineError(
            f"accelerator is {parameters.accelerator}, but only {seen} is seen here; use"
            " `--params training.accelerator=auto`"
        )
    return seen if parameters.accelerator == "auto" else parameters.accelerator


def _precision(parameters: TrainingParameters, accelerator: str) -> Precision:
    if parameters.precision == "16-mixed" and accelerator != "cuda":
        raise PortraitPipelineError(
            f"precision is 16-mixed, which {accelerator} does not compute in; use"
            " `--params training.precision=auto`"
        )
    if parameters.precision != "auto":
        return parameters.precision
    has_bfloat16 = accelerator == "cuda" and torch.cuda.is_bf16_supported()
    return "bf16-mixed" if has_bfloat16 else "32-true"


def peak_memory_mb(device: torch.device) -> float:
    """Return the most memory used so far in MB: the GPU's, or this process's resident memory."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def in_words(seconds: float) -> str:
    """Return a duration as a person says it: 40 s, 12 min, 5.5 h, 14 days."""
    for length, unit, digits in ((86400, "days", 0), (3600, "h", 1), (60, "min", 0)):
        if seconds >= 2 * length or (unit == "min" and seconds >= 100):
            return f"{seconds / length:.{digits}f} {unit}"
    return f"{seconds:.0f} s"


def clock_time(seconds_from_now: float) -> str:
    """Return the local time of day so many seconds from now, with the date if it is not today."""
    now = time.time()
    then = time.localtime(now + timedelta(seconds=seconds_from_now).total_seconds())
    same_day = then.tm_yday == time.localtime(now).tm_yday and seconds_from_now < 86400
    return time.strftime("%H:%M" if same_day else "%Y-%m-%d %H:%M", then)
