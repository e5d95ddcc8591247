"""The processes that train one model: how they start, and what they tell one another."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
from lightning_fabric import Fabric
from torch import Tensor

from portrait_pipeline.errors import PortraitPipelineError, ProcessLostError
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
        _set_up_cuda(parameters)
    return fabric


def _set_up_cuda(parameters: TrainingParameters) -> None:
    """Choose speed or, with `deterministic`, kernels that add in the same order every time."""
    torch.backends.cuda.matmul.allow_tf32 = parameters.allow_tf32
    torch.backends.cudnn.allow_tf32 = parameters.allow_tf32
    torch.backends.cudnn.benchmark = parameters.cudnn_autotune and not parameters.deterministic
    if parameters.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(parameters.deterministic)


def for_device(parameters: TrainingParameters, device: torch.device) -> TrainingParameters:
    """Replace `auto` in the settings of speed by what this device is known to gain from.

    Raises:
        PortraitPipelineError: if a CUDA graph is asked for where there is no CUDA.
    """
    on_cuda = device.type == "cuda"
    if parameters.cuda_graph is True and not on_cuda:
        raise PortraitPipelineError(
            f"cuda_graph is true, but the training runs on {device.type}; use"
            " `--params training.cuda_graph=auto`"
        )
    chosen = {
        "channels_last": on_cuda,
        "cuda_graph": on_cuda and parameters.precision != "16-mixed",
    }
    auto = {name: value for name, value in chosen.items() if getattr(parameters, name) == "auto"}
    return parameters.model_copy(update=auto)


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


@contextmanager
def report_lost_process(fabric: Fabric) -> Iterator[None]:
    """Say in one sentence that another process has ended while this one waits for it.

    Raises:
        ProcessLostError: in place of what the network under the processes says.
    """
    try:
        yield
    except RuntimeError as error:
        if fabric.world_size == 1:
            raise
        raise ProcessLostError(
            f"process {fabric.global_rank} of {fabric.world_size} has lost another one, which"
            " torchrun names; what was saved last is kept, go on with `--params resume=true`"
        ) from error


def reduce(values: Tensor, fabric: Fabric, how: Literal["mean", "max"]) -> Tensor:
    """Return the mean or the maximum over all processes, element by element."""
    if fabric.world_size == 1:
        return values
    with report_lost_process(fabric):
        reduced = fabric.all_reduce(values, reduce_op=how)
    if not isinstance(reduced, Tensor):
        raise TypeError(f"all_reduce gave {type(reduced).__name__}, expected a tensor")
    return reduced


def any_rank(flags_of_rank: tuple[bool, ...], fabric: Fabric) -> list[bool]:
    """Return for each request whether any process has it, so that all do the same."""
    flags = torch.tensor(flags_of_rank, dtype=torch.int32, device=fabric.device)
    return [bool(flag) for flag in reduce(flags, fabric, "max").tolist()]


def gather(own: Any, fabric: Fabric) -> list[Any]:
    """Return what every process gave, in the order of their ranks."""
    if fabric.world_size == 1:
        return [own]
    parts: list[Any] = [None] * fabric.world_size
    with report_lost_process(fabric):
        torch.distributed.all_gather_object(parts, own)
    return parts


def broadcast(value: Any, fabric: Fabric) -> Any:
    """Return what the first process gave, on all of them."""
    with report_lost_process(fabric):
        return fabric.broadcast(value)
