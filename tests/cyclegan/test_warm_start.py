"""Laws of a training that starts from another one's networks."""

import pytest
import torch
from support.checkpoints import differing

from portrait_pipeline.cyclegan.checkpoint_files import write_checkpoint
from portrait_pipeline.cyclegan.data import TrainingData
from portrait_pipeline.cyclegan.state import build_state
from portrait_pipeline.cyclegan.train import train_cyclegan
from portrait_pipeline.cyclegan.warm_start import start_from
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.files import sha256_of

NAMED = {"model_name": "proposed", "preparation": {"margin": 0.35}}
CPU = torch.device("cpu")


@pytest.fixture
def earlier(parameters, faces, services, tmp_path):
    """A checkpoint of one epoch of another seed, and where it is."""
    data = TrainingData(faces(2, 1), faces(2, 2))
    checkpoint = train_cyclegan(data, parameters(num_epochs=1, seed=8), services, **NAMED)
    path = tmp_path / "earlier.pt"
    write_checkpoint(path, checkpoint)
    return checkpoint, path


def _weights(state):
    return {name: dict(net.state_dict()) for name, net in state.networks.named().items()}


def test_it_takes_all_networks_at_another_size(earlier, parameters):
    """Law: generators, averages and discriminators are its; `initial` says so."""
    checkpoint, path = earlier
    state = build_state(parameters(image_size_px=64), CPU)
    start_from(state, path)
    assert differing(_weights(state), checkpoint["networks"]) == []
    averaged = {name: dict(net.state_dict()) for name, net in state.averaged_generators.items()}
    assert all(differing(averaged[name], checkpoint["networks"][name]) == [] for name in averaged)
    assert state.step == 0
    assert state.initial == {
        "sha256": sha256_of(path),
        "image_size_px": 32,
        "model": "proposed",
        "epoch": 1,
        "step": 2,
        "data_hash": checkpoint["data_hash"],
        "discriminators": ["photo_discriminator.deep", "painting_discriminator.deep"],
    }


@pytest.mark.parametrize(
    ("changes", "taken"),
    [
        ({"num_shallow_discriminator_layers": 1}, ["deep"]),
        ({"num_discriminator_filters": 8}, []),
        ({"num_discriminator_layers": 1}, []),
    ],
)
def test_a_discriminator_of_another_shape_begins_anew(earlier, parameters, changes, taken):
    """Law: it keeps the weights of its seed, while one of the same shape beside it is taken."""
    checkpoint, path = earlier
    state = build_state(parameters(**changes), CPU)
    before = {
        name: weight.clone() for name, weight in _weights(state)["photo_discriminator"].items()
    }
    start_from(state, path)
    theirs = checkpoint["networks"]["photo_discriminator"]
    for name, weight in _weights(state)["photo_discriminator"].items():
        is_deep = name.startswith("deep.") and "deep" in taken
        expected = theirs[name.removeprefix("deep.")] if is_deep else before[name]
        assert torch.equal(weight, expected)
    assert state.initial["discriminators"][: len(taken)] == [
        f"photo_discriminator.{part}" for part in taken
    ]


def test_a_training_with_both_discriminators_starts_one_alike(
    parameters, tmp_path, faces, services
):
    """Law: with the same settings both discriminators of a domain are taken."""
    settings = parameters(num_epochs=1, num_shallow_discriminator_layers=1)
    data = TrainingData(faces(2, 1), faces(2, 2))
    checkpoint = train_cyclegan(data, settings, services, **NAMED)
    write_checkpoint(tmp_path / "both.pt", checkpoint)
    state = build_state(settings, CPU)
    start_from(state, tmp_path / "both.pt")
    assert differing(_weights(state), checkpoint["networks"]) == []


@pytest.mark.parametrize(
    "changes", [{"num_generator_filters": 8}, {"num_residual_blocks": 3}, {"upsampling": "resize"}]
)
def test_generators_of_another_architecture_are_refused(earlier, parameters, changes):
    """Law: one sentence says what the checkpoint has."""
    _, path = earlier
    with pytest.raises(PortraitPipelineError, match="photo_to_portrait has 4 filters and 1 blocks"):
        start_from(build_state(parameters(**changes), CPU), path)


def test_a_missing_checkpoint_costs_nothing(parameters, data, services, store, tracker, tmp_path):
    """Law: it is named before the tracker opens a run or an earlier state is forgotten."""
    train_cyclegan(data, parameters(num_epochs=1), services, **NAMED)
    settings = parameters(num_epochs=1, initial_checkpoint=str(tmp_path / "none.pt"))
    with pytest.raises(PortraitPipelineError, match=r"initial_checkpoint is .*none\.pt"):
        train_cyclegan(data, settings, services, **NAMED)
    assert len(tracker.starts) == 1
    assert store.states


def test_where_it_began_stays_in_its_checkpoint(earlier, parameters, data, services):
    """Law: the record outlives a resume, for which the file is not needed any more."""
    checkpoint, path = earlier
    settings = parameters(num_epochs=1, initial_checkpoint=str(path))
    trained = train_cyclegan(data, settings, services, **NAMED)
    path.unlink()
    resumed = settings.model_copy(update={"resume": True})
    again = train_cyclegan(data, resumed, services, **NAMED)
    assert differing(trained, again) == ["/parameters/resume"]
    assert trained["initial"]["step"] == checkpoint["step"]
    assert "initial" not in checkpoint
