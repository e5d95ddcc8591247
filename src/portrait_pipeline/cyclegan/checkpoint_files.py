"""Checkpoints on disk: written whole or not at all, and checked before they are loaded."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.files import (
    DamagedFileError,
    check_hash,
    hash_beside,
    remove_unfinished,
    write_hashed,
    write_whole,
)
from portrait_pipeline.parameters import TrainingParameters

Checkpoint = dict[str, Any]

FORMAT = 2
NUM_KEPT_STATES = 2
BEGUN_BY = "begun_by"


class DamagedCheckpointError(PortraitPipelineError):
    """A checkpoint that is torn, was changed after it was written, or has lost its hash."""


def write_checkpoint(path: Path, state: Checkpoint) -> None:
    """Write a checkpoint and, beside it, its SHA-256; a reader never sees half of either.

    Args:
        path: The file to write; its folder is made.
        state: Tensors and plain Python only, so that it loads with `weights_only=True`.

    Raises:
        PortraitPipelineError: if the disk is full or cannot be written; nothing is left behind.
    """
    try:
        write_hashed(path, lambda part: _save(state, part))
    except (OSError, RuntimeError) as error:  # torch turns a full disk into a RuntimeError
        reason = error if isinstance(error, OSError) else error.__context__ or error
        raise PortraitPipelineError(
            f"could not write {path} ({getattr(reason, 'strerror', None) or reason}): free space"
            " on that disk, then go on with `--params resume=true`; what was saved before is kept"
        ) from error


def _save(state: Checkpoint, path: Path) -> None:
    # imported here and below, so that an exported model can be looked for without PyTorch
    import torch  # noqa: PLC0415

    with path.open("wb") as file:  # torch closes a file that it opened itself too late
        torch.save(state, file)


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint after checking its SHA-256; runs none of its content as code.

    Raises:
        DamagedCheckpointError: if the hash is missing or does not match, or the file is torn.
    """
    import torch  # noqa: PLC0415

    try:
        check_hash(path, required=True)
        return upgraded(torch.load(path, map_location="cpu", weights_only=True))
    except DamagedFileError as error:
        raise DamagedCheckpointError(str(error)) from error
    except Exception as error:  # torch raises what its parsers happen to raise
        raise DamagedCheckpointError(f"{path} is no checkpoint of this project: {error}") from error


def upgraded(checkpoint: Checkpoint) -> Checkpoint:
    """Give a checkpoint of an older version the names and settings of this one.

    Format 1 called real paintings by the word that now means what a model makes: as a domain, in
    the name of a discriminator and at the end of logged terms. Settings that came later have the
    default under which they change nothing.
    """
    if not isinstance(checkpoint, dict):
        raise TypeError(f"it holds a {type(checkpoint).__name__}, expected a dictionary")
    if "parameters" not in checkpoint:
        return checkpoint
    fields = TrainingParameters.model_fields.items()
    defaults = {name: field.default for name, field in fields if not field.is_required()}
    upgraded_parameters = {"parameters": {**defaults, **checkpoint["parameters"]}}
    if checkpoint.get("format") != 1:
        return {**checkpoint, **upgraded_parameters}
    renamed: dict[str, Any] = {"networks": _renamed(checkpoint.get("networks", {}))}
    for key in ("image_pools", "running_terms", "history"):
        renamed[key] = [_renamed(part) for part in checkpoint.get(key, [])]
    return {**checkpoint, **upgraded_parameters, **renamed, "format": FORMAT}


def _renamed(named: Mapping[str, Any]) -> dict[str, Any]:
    return {_new_name(name): value for name, value in named.items()}


def _new_name(name: str) -> str:
    words = name.split("_")
    if "to" in words:  # the generators kept their names
        return name
    return "_".join("painting" if word == "portrait" else word for word in words)


class FileCheckpointStore:
    """The last states of a training that is under way, oldest thrown away first.

    Implements `services.CheckpointStore`.

    Args:
        folder: Where they lie.
        use_previous: Take the state before the last one where the last one is damaged.
        run_id: A run that begins each training once, on whatever host it goes on.
    """

    def __init__(self, folder: Path, use_previous: bool, run_id: str | None = None) -> None:
        self._folder = folder
        self._use_previous = use_previous
        self._run_id = run_id

    def _states(self) -> list[Path]:
        return sorted(self._folder.glob("step-*.pt"))

    def save(self, state: Checkpoint) -> None:
        """Write the state of `state["step"]` and keep it and the one before."""
        remove_unfinished(self._folder)
        write_checkpoint(self._folder / f"step-{state['step']:09d}.pt", state)
        for old in self._states()[:-NUM_KEPT_STATES]:
            old.unlink()
            hash_beside(old).unlink(missing_ok=True)

    def load(self) -> Checkpoint | None:
        """Return the newest state, or None where there is none.

        Raises:
            DamagedCheckpointError: if it is torn or was changed; the one before is only taken when
                the user allows it.
        """
        states = self._states()
        if not states:
            return None
        try:
            return read_checkpoint(states[-1])
        except DamagedCheckpointError as error:
            if len(states) == 1:
                raise
            if self._use_previous:
                return read_checkpoint(states[-2])
            raise DamagedCheckpointError(
                f"{error}; the state before it ({states[-2].name}) is whole: take it with"
                " `--params resume=true,resume_from=previous`"
            ) from error

    def clear(self) -> None:
        """Forget all states but those of a training that this run began on a host it has lost."""
        remove_unfinished(self._folder)
        if self._run_id is not None and self._begun_by() == self._run_id:
            return
        for path in (*self._states(), *self._folder.glob("*.sha256")):
            path.unlink(missing_ok=True)
        if self._run_id is not None:
            write_whole(self._folder / BEGUN_BY, self._run_id.encode())

    def _begun_by(self) -> str | None:
        try:
            return (self._folder / BEGUN_BY).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
