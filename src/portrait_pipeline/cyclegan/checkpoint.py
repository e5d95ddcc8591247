"""A training's state as one plain dictionary, and back, bit for bit.

Every tensor in it is on the CPU, everything else is plain Python, so that
`torch.load(weights_only=True)` reads it.
"""

from dataclasses import dataclass
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from portrait_pipeline.cyclegan.checkpoint_files import FORMAT
from portrait_pipeline.cyclegan.distributed import gather
from portrait_pipeline.cyclegan.services import Checkpoint
from portrait_pipeline.cyclegan.state import TrainingState
from portrait_pipeline.errors import PortraitPipelineError

WITHOUT_EFFECT = (
    "resume",
    "reuse",
    "allow_cpu",
    "save_every_steps",
    "save_every_minutes",
    "max_gpu_pictures_gb",
    "log_every_steps",
)
ANEW = "train anew with `--params resume=false`"


@dataclass(frozen=True)
class Fingerprint:
    """What a checkpoint must have in common with the training that takes it up.

    Attributes:
        model: Name of the model.
        parameters: Dump of the TrainingParameters.
        preparation: Dump of the FaceParameters that the crops were made with.
        data_hash: SHA-256 of the training pictures.
    """

    model: str
    parameters: dict[str, Any]
    preparation: dict[str, Any]
    data_hash: str


def take_checkpoint(state: TrainingState, fingerprint: Fingerprint, fabric: Fabric) -> Checkpoint:
    """Gather the state of all processes into one checkpoint; every process must call it."""
    own = {
        "image_pools": {name: pool.state_dict() for name, pool in state.image_pools.items()},
        "random_states": _random_states(),
        "running_terms": dict(state.running_terms),
    }
    ranks = gather(_on_cpu(own), fabric)
    networks = {name: net.state_dict() for name, net in state.networks.named().items()}
    averaged = {name: net.state_dict() for name, net in state.averaged_generators.items()}
    content = {
        "format": FORMAT,
        **vars(fingerprint),
        "networks": networks,
        "averaged_generators": averaged,
        "optimizers": {name: adam.state_dict() for name, adam in state.optimizers.items()},
        "schedulers": {"learning_rate": state.learning_rate},
        "scaler": state.scaler.state_dict(),
        **{key: [part[key] for part in ranks] for key in own},
        "sampler": {
            "epoch": state.epoch,
            "position": state.position,
            "world_size": fabric.world_size,
        },
        "epoch": state.epoch,
        "step": state.step,
        "history": [dict(row) for row in state.history],
        "best": state.best,
        "recent": list(state.recent),
        "tracking_id": state.tracking_id,
        **({} if state.initial is None else {"initial": state.initial}),
    }
    return {key: _on_cpu(value) for key, value in content.items()}


def restore(
    state: TrainingState, checkpoint: Checkpoint, fingerprint: Fingerprint, fabric: Fabric
) -> None:
    """Bring a freshly built state to where the checkpoint was taken.

    Raises:
        PortraitPipelineError: if it is of another format, of other parameters or data, or of
            another number of processes; the message lists what differs.
    """
    _refuse_other(checkpoint, fingerprint, fabric.world_size)
    device = fabric.device
    for name, network in state.networks.named().items():
        network.load_state_dict(checkpoint["networks"][name])
    for name, averaged in state.averaged_generators.items():
        averaged.load_state_dict(checkpoint["averaged_generators"][name])
    for name, optimizer in state.optimizers.items():
        optimizer.load_state_dict(checkpoint["optimizers"][name])
    if checkpoint["scaler"]:
        state.scaler.load_state_dict(checkpoint["scaler"])
    pools = checkpoint["image_pools"][fabric.global_rank]
    for name, pool in state.image_pools.items():
        pool.load_state_dict(pools[name], device)
    _set_random_states(checkpoint["random_states"][fabric.global_rank])
    state.running_terms = dict(checkpoint["running_terms"][fabric.global_rank])
    state.epoch, state.position = checkpoint["epoch"], checkpoint["sampler"]["position"]
    state.step = checkpoint["step"]
    state.history = [dict(row) for row in checkpoint["history"]]
    state.best, state.recent = checkpoint["best"], list(checkpoint["recent"])
    state.tracking_id = checkpoint["tracking_id"]
    state.initial = checkpoint.get("initial")


def _refuse_other(checkpoint: Checkpoint, fingerprint: Fingerprint, world_size: int) -> None:
    if checkpoint.get("format") != FORMAT:
        raise PortraitPipelineError(
            f"the saved training has format {checkpoint.get('format')!r}, expected {FORMAT}; {ANEW}"
        )
    differing = [
        *_differences("", checkpoint["parameters"], fingerprint.parameters),
        *_differences("preparation.", checkpoint["preparation"], fingerprint.preparation),
    ]
    differing += [
        f"{name} {checkpoint[name]!r} → {getattr(fingerprint, name)!r}"
        for name in ("model", "data_hash")
        if checkpoint[name] != getattr(fingerprint, name)
    ]
    if checkpoint["sampler"]["world_size"] != world_size:
        differing.append(f"processes {checkpoint['sampler']['world_size']} → {world_size}")
    if differing:
        raise PortraitPipelineError(
            "resume is true, but the saved training differs from this one (saved → now): "
            + ", ".join(differing)
            + f"; give the saved values again or {ANEW}"
        )


def _differences(prefix: str, saved: dict[str, Any], now: dict[str, Any]) -> list[str]:
    names = [name for name in {**saved, **now} if name not in WITHOUT_EFFECT]
    return [
        f"{prefix}{name} {saved.get(name)!r} → {now.get(name)!r}"
        for name in names
        if saved.get(name) != now.get(name)
    ]


def _random_states() -> dict[str, Any]:
    accelerators = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {"torch": torch.get_rng_state(), "cuda": accelerators}


def _set_random_states(states: dict[str, Any]) -> None:
    torch.set_rng_state(states["torch"])
    if torch.cuda.is_available() and len(states["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(states["cuda"])


def _on_cpu(value: Any) -> Any:
    """Return the same structure with plain containers and every tensor on the CPU."""
    match value:
        case Tensor():
            return value.detach().cpu()
        case dict():
            return {key: _on_cpu(part) for key, part in value.items()}
        case list() | tuple():
            return [_on_cpu(part) for part in value]
        case _:
            return value
