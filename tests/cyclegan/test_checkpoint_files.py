"""A checkpoint that version 0.1.0 wrote, in format 1, is used by this version.

tests/data holds two of one training (2 epochs of 5 steps, seed 3, on the noise of `data`): its end
and its state after 7 steps. Image size, filters and blocks are as small as they can be.
"""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from support.checkpoints import differing

from portrait_pipeline.cyclegan.checkpoint_files import (
    DamagedCheckpointError,
    FileCheckpointStore,
    read_checkpoint,
)
from portrait_pipeline.cyclegan.train import train_cyclegan
from portrait_pipeline.cyclegan.translate import load_generator, translate
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.files import write_hashed
from portrait_pipeline.parameters import TrainingParameters

FOLDER = Path(__file__).resolve().parents[1] / "data"
FINISHED, HALF_DONE = FOLDER / "finished_format_1.pt", FOLDER / "half_done_format_1.pt"


@pytest.mark.parametrize("path", [FINISHED, HALF_DONE])
def test_its_names_are_those_of_this_version(path):
    """Law: networks, image pools and every logged term have today's names, and no others."""
    checkpoint = read_checkpoint(path)
    assert list(checkpoint["networks"]) == [
        "photo_to_portrait",
        "portrait_to_photo",
        "photo_discriminator",
        "painting_discriminator",
    ]
    assert list(checkpoint["image_pools"][0]) == ["photo", "painting"]
    logged = {name for row in checkpoint["history"] for name in row}
    logged |= set(checkpoint["running_terms"][0])
    assert {"adversarial_loss_photo", "adversarial_loss_painting"} <= logged
    assert not [name for name in logged if "portrait" in name]
    assert TrainingParameters(**checkpoint["parameters"]).model_dump() == checkpoint["parameters"]


@pytest.mark.parametrize("direction", ["photo_to_portrait", "portrait_to_photo"])
@pytest.mark.parametrize("path", [FINISHED, HALF_DONE])
def test_it_translates(path, direction, data):
    """Law: its generators load and make pictures that are not all of one colour."""
    portraits = translate(load_generator(read_checkpoint(path), direction), data.photos.pixels, 2)
    assert portraits.shape == data.photos.pixels.shape
    assert portraits.std() > 1.0


def test_it_goes_on_to_the_same_end(data, services, store, teacher):
    """Law: resumed in this version it ends as it did in its own, but for the order of sums."""
    half, finished = read_checkpoint(HALF_DONE), read_checkpoint(FINISHED)
    store.states.append(half)
    settings = TrainingParameters(**{**half["parameters"], "resume": True})
    resumed = train_cyclegan(
        data,
        settings,
        services,
        model_name=half["model"],
        preparation=half["preparation"],
        embedder=teacher,
    )
    assert (half["step"], resumed["step"]) == (7, 10)
    assert set(finished["history"][1]) - set(resumed["history"][1]) <= {
        "validated",
        "validation_ssim",
    }
    for name in ("generator_loss", "perceptual_loss_painting"):
        assert resumed["history"][1][name] == pytest.approx(finished["history"][1][name], rel=1e-3)
    for name, weights in finished["networks"].items():
        for key, weight in weights.items():
            torch.testing.assert_close(resumed["networks"][name][key], weight, rtol=0.01, atol=1e-4)
    ours, theirs = (
        translate(load_generator(each, "photo_to_portrait"), data.photos.pixels, 2).astype(np.int64)
        for each in (resumed, finished)
    )
    assert np.abs(ours - theirs).max() <= 2


class HostIsLost(BaseException):
    """Nothing that a training could clean up after."""


class LosingStore(FileCheckpointStore):
    """A store whose host is lost after some saves."""

    num_saves = 0

    def save(self, state):
        super().save(state)
        self.num_saves += 1
        if self.num_saves == 2:
            raise HostIsLost


@pytest.mark.parametrize("before", ["nothing", "another run", "another training"])
def test_a_run_that_loses_its_host_goes_on_elsewhere(
    data, parameters, services, tracker, tmp_path, before
):
    """Law: with the run's id it goes on from what this run saved, never from anything older."""
    given = {"model_name": "m", "preparation": {}}
    settings = parameters(lambda_perceptual=0.0, num_epochs=3)
    whole = train_cyclegan(data, settings, services, **given)
    if before != "nothing":
        older = parameters(lambda_perceptual=0.0, num_epochs=3 if before == "another run" else 1)
        store = FileCheckpointStore(tmp_path, False, "an older run")
        train_cyclegan(data, older, replace(services, store=store), **given)
    lost = replace(services, store=LosingStore(tmp_path, False, "this run"))
    with pytest.raises(HostIsLost):
        train_cyclegan(data, settings, lost, **given)
    saved = FileCheckpointStore(tmp_path, False, "this run")
    saved.clear()
    half = saved.load()
    assert half is not None
    assert 0 < half["step"] < whole["step"]
    moved = train_cyclegan(data, settings, replace(services, store=saved), **given)
    assert set(differing(whole, moved)) <= {"/tracking_id"}
    other = FileCheckpointStore(tmp_path, False, "the next run")
    other.clear()
    assert other.load() is None


def beside(content: bytes, folder: Path) -> Path:
    """Lay a file with its hash beside it, as if it had been saved like this."""
    path = folder / "model.pt"
    write_hashed(path, lambda part: part.write_bytes(content))
    return path


def saved(state: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"text", b"\x80\x02.", b"\x80\x04]q.", b"PK\x05\x06" + bytes(18), b"\0" * 600),
        *map(saved, (5, "text", [], torch.zeros(2), {"parameters": 3}, {"parameters": ["a"]})),
        saved({"format": 1, "parameters": {}, "networks": 5}),
    ],
)
def test_another_file_is_no_checkpoint(content, tmp_path):
    """Law: whatever lies there with a hash that fits, one sentence names the file."""
    with pytest.raises(DamagedCheckpointError, match=r"model\.pt is no checkpoint"):
        read_checkpoint(beside(content, tmp_path))


def test_no_mutation_of_a_checkpoint_is_a_raw_error(tmp_path):
    """Law: with changed bytes anywhere it is read, or one of our sentences says why not."""
    draw, whole = np.random.default_rng(0), saved(read_checkpoint(FINISHED)["parameters"])
    refused = 0
    for _ in range(200):
        content = bytearray(whole)
        for place in draw.integers(0, len(content), draw.integers(1, 9)):
            content[place] = draw.integers(0, 256)
        try:
            read_checkpoint(beside(bytes(content), tmp_path))
        except PortraitPipelineError:
            refused += 1
    assert 0 < refused < 200
