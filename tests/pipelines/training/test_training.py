"""How the settings of each training follow from those of the user, and how trainings are wired."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from support.facenet_weights import random_facenet
from support.in_memory import MemoryStore, MemoryTracker, noise_faces
from support.tiny_model import PREPARATION, SIZE_PX, TRAINING

from portrait_pipeline.cyclegan.data import TrainingData
from portrait_pipeline.cyclegan.services import Checkpoint
from portrait_pipeline.datasets.embeddings import SqliteEmbeddingStore
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.faces.selection import choose_pictures
from portrait_pipeline.images import FaceSet
from portrait_pipeline.parameters import (
    EvaluationParameters,
    FaceParameters,
    ModelParameters,
    TrainingParameters,
    TuningParameters,
)
from portrait_pipeline.pipeline_registry import register_pipelines
from portrait_pipeline.pipelines.training import nodes
from portrait_pipeline.scoring.validation import Validation

SETTINGS = TrainingParameters(**{**TRAINING, "lambda_perceptual": 5.0, "num_epochs": 50})
PIPELINES = register_pipelines()
FACES = FaceParameters(**PREPARATION)
SPLITS = pd.DataFrame(
    [
        ("a.png", "photo", "train", "a" * 64, 0),
        ("b.png", "photo", "test", "b" * 64, 0),
        ("c.png", "painting", "train", "c" * 64, -1),
    ],
    columns=["name", "domain", "split", "content_hash", "person"],
)
ORIGIN = nodes.describe_training(SPLITS, FACES)
NOTHING = noise_faces(0, 0, SIZE_PX)
NO_VALIDATION = Validation(NOTHING, NOTHING, lambda faces: faces.numpy(), 1)
BASELINE = ModelParameters(training={"lambda_perceptual": 0.0, "perceptual_gradient_share": None})
PROPOSED = ModelParameters(lambda_from_tuning=True)
BLIND = TrainingData(noise_faces(3, 1, SIZE_PX), noise_faces(3, 2, SIZE_PX))


def trained(
    node: nodes.TrainingNode,
    data: TrainingData,
    settings: TrainingParameters,
    store: MemoryStore | None = None,
) -> tuple[Checkpoint, pd.DataFrame]:
    """Run the function of a training node with everything around it in memory."""
    return node(data, NO_VALIDATION, settings, ORIGIN, store or MemoryStore(), MemoryTracker())


@pytest.mark.parametrize("teacher", ["dlib", "facenet"])
def test_every_teacher_trains(teacher: str, tmp_path: Path) -> None:
    """Law: its own embeddings of the real crops, its gradient in the generators' weights."""
    weights = tmp_path / "weights.pt"
    weights.write_bytes(random_facenet())
    settings = SETTINGS.model_copy(
        update={
            "num_epochs": 1,
            "teacher": teacher,
            "teacher_weights": str(weights) if teacher == "facenet" else None,
        }
    )
    store = SqliteEmbeddingStore(tmp_path / "embeddings.sqlite")
    taught = nodes.embed_training_faces(BLIND, settings, FACES, store)
    checkpoint, history = trained(nodes.training_of("proposed", PROPOSED), taught, settings)
    row = history.iloc[-1]
    assert 0.0 < row["perceptual_loss"] <= 2 * 4.0
    assert 0.0 < row["perceptual_gradient_share"] < 1.0
    untaught, _ = trained(nodes.training_of("baseline", BASELINE), BLIND, settings)
    one, other = (
        torch.cat([value.flatten() for value in each["networks"]["photo_to_portrait"].values()])
        for each in (checkpoint, untaught)
    )
    assert not torch.equal(one, other)


def test_the_baseline_knows_no_share_either() -> None:
    """Law: a share of the gradient set for the proposed model leaves the baseline untaught."""
    settings = SETTINGS.model_copy(update={"perceptual_gradient_share": 0.5, "num_epochs": 1})
    checkpoint, history = trained(nodes.training_of("baseline", BASELINE), BLIND, settings)
    assert checkpoint["parameters"]["perceptual_gradient_share"] is None
    assert "perceptual_loss" not in history


def test_a_share_of_the_settings_does_not_rule_the_grid(tmp_path: Path) -> None:
    """Law: λ_p of the grid stays what it is called; a share of its grid likewise."""
    settings = SETTINGS.model_copy(update={"perceptual_gradient_share": 0.5, "num_epochs": 1})
    store = SqliteEmbeddingStore(tmp_path / "embeddings.sqlite")
    taught = nodes.embed_training_faces(BLIND, settings, FACES, store)
    fixed_weight = {"lambda_perceptual": 1.0, "perceptual_gradient_share": None}
    model = ModelParameters(training=fixed_weight)
    _, fixed = trained(nodes.training_of("lambda_1", model), taught, settings)
    assert fixed["lambda_perceptual"].tolist() == [1.0]
    model = ModelParameters(training={"perceptual_gradient_share": 0.25})
    _, kept = trained(nodes.training_of("share_0_25", model), taught, settings)
    assert kept["perceptual_gradient_share"].tolist() == pytest.approx([0.25], rel=1e-3)


def test_the_chosen_lambda_and_nothing_else_is_given_to_the_proposed_model() -> None:
    """What `tune` chose replaces the λ_p of the parameters."""
    changed = nodes.use_chosen_lambda(SETTINGS, {"lambda_perceptual": 0.5, "rule": "pareto"})
    assert changed == SETTINGS.model_copy(update={"lambda_perceptual": 0.5})


def test_the_tuning_limits_pairs_and_epochs() -> None:
    """Report, section 5.3: fewer pairs, its own number of epochs, all else alike."""
    tuning = TuningParameters(num_pairs=200, num_epochs=9, selection="ssim")
    changed = nodes.set_tuning_budget(SETTINGS, tuning)
    assert changed == SETTINGS.model_copy(update={"num_training_pairs": 200, "num_epochs": 9})


@pytest.mark.parametrize("name", ["train_baseline", "tune", "train_proposed", "__default__"])
def test_trainings_are_tagged_and_each_in_its_namespace(name: str) -> None:
    """One node for each model, visible by namespace, tagged `gpu`."""
    trainings = [
        node for node in PIPELINES[name].nodes if node.name.split(".")[-1].startswith("train_")
    ]
    assert trainings
    for node in trainings:
        assert "gpu" in node.tags
        assert node.name == f"{node.namespace}.train_model"


def test_the_tuning_has_one_training_for_each_lambda() -> None:
    """The grid of the report, and λ_p = 0."""
    namespaces = {
        node.namespace
        for node in PIPELINES["tune"].nodes
        if node.name.split(".")[-1].startswith("train_")
    }
    assert namespaces == {f"tuning.lambda_{weight}" for weight in (0, 1, 5, 10)}


def test_by_default_the_proposed_model_waits_for_the_tuning() -> None:
    """`chosen_lambda` comes from `choose_lambda`; alone, λ_p comes from the parameters."""
    makers = {
        name: [node.name for node in PIPELINES[name].nodes if "chosen_lambda" in node.outputs]
        for name in ("__default__", "train_proposed", "train")
    }
    assert makers == {"__default__": ["tuning.choose_lambda"], "train_proposed": [], "train": []}
    for name in ("train_proposed", "train", "train_baseline"):
        assert "chosen_lambda" not in PIPELINES[name].datasets()
    by_name = {node.name: node for node in PIPELINES["__default__"].nodes}
    assert "settings_with_chosen_lambda" in by_name["proposed.train_model"].inputs
    assert "params:training" in by_name["baseline.train_model"].inputs


def test_the_baseline_knows_no_face_network() -> None:
    """Neither the store of embeddings nor taught data are among what it needs."""
    assert not {"embedding_store", "taught_data"} & PIPELINES["train_baseline"].datasets()


def test_a_checkpoint_says_which_pictures_persons_and_code_it_comes_from() -> None:
    """The final checkpoint and every state on the way to it."""
    store = MemoryStore()
    settings = SETTINGS.model_copy(update={"num_epochs": 1})
    checkpoint, _ = trained(nodes.training_of("baseline", BASELINE), BLIND, settings, store)
    for saved in (checkpoint, *store.states):
        assert saved["provenance"]["pictures"] == ["a" * 64, "c" * 64]
        assert saved["provenance"]["pictures_of_persons"] == ["a" * 64, "b" * 64, "c" * 64]
        assert len(saved["provenance"]["source_hash"]) == 64
        assert saved["preparation"] == FACES.model_dump()


def test_a_seed_of_the_configuration_seeds_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model's own seed and settings win over those of `training`."""
    monkeypatch.setattr(nodes, "_train", lambda *given: (given[2], given[0]))
    model = ModelParameters(training={"upsampling": "resize"}, seeds=(7,))
    settings, name = trained(nodes.training_of("light_seed_7", model), BLIND, SETTINGS)
    assert (settings.seed, settings.upsampling, name) == (7, "resize", "light_seed_7")
    assert settings == SETTINGS.model_copy(update={"seed": 7, "upsampling": "resize"})


OTHER_CODE = dataclasses.replace(ORIGIN, source_hash="0" * 64)
SAME_TRAINING = {
    "the same": ({}, BLIND, ORIGIN, True),
    "saved more often": ({"save_every_steps": 1}, BLIND, ORIGIN, True),
    "other settings": ({"learning_rate": 0.001}, BLIND, ORIGIN, False),
    "another seed": ({"seed": 5}, BLIND, ORIGIN, False),
    "other pictures": (
        {},
        TrainingData(noise_faces(3, 7, SIZE_PX), BLIND.paintings),
        ORIGIN,
        False,
    ),
    "other code": ({}, BLIND, OTHER_CODE, False),
}


@pytest.mark.parametrize("name", SAME_TRAINING)
def test_only_the_very_same_training_is_taken_up_again(name: str) -> None:
    """With `reuse` the second call trains nothing; where anything differs it trains anew."""
    changes, data, origin, is_taken_up = SAME_TRAINING[name]
    node, store = nodes.training_of("baseline", BASELINE), MemoryStore()
    chosen_by_device = {"channels_last": "auto", "cuda_graph": "auto"}  # kept as what it became
    settings = SETTINGS.model_copy(update={"num_epochs": 1, "reuse": True, **chosen_by_device})
    first, _ = trained(node, BLIND, settings, store)
    tracker = MemoryTracker()
    changed = settings.model_copy(update=changes)
    node(data, NO_VALIDATION, changed, origin, store, tracker)
    assert tracker.starts[0][2] == (first["tracking_id"] if is_taken_up else None)


def test_validation_pictures_do_not_depend_on_their_names() -> None:
    """Law: renamed files are chosen again; another seed chooses others; few are taken whole."""
    faces = noise_faces(20, 3, 16)
    order = np.random.default_rng(0).permutation(20)
    renamed = FaceSet(tuple(f"{row:02}.png" for row in range(20)), faces[order])

    def chosen(of: FaceSet, seed: int = 0) -> set[bytes]:
        few = choose_pictures(of, 6, seed)
        return {few[row].tobytes() for row in range(len(few))}

    assert len(chosen(faces)) == 6
    assert chosen(faces) == chosen(renamed)
    assert chosen(faces) != chosen(faces, seed=1)
    assert choose_pictures(faces, 20, 0) is faces


def test_a_training_watches_itself_with_pictures_that_names_do_not_choose() -> None:
    """Law: with every file renamed, the validation holds the same photographs and paintings."""
    settings = SETTINGS.model_copy(update={"num_validation_pictures": 4})
    usual = {"use_averaged_generator": True, "batch_size": 4, "num_bootstrap_samples": 100}
    judging = EvaluationParameters(judge="geometry", seed=0, **usual)
    chosen = []
    for order in (np.arange(12), np.random.default_rng(0).permutation(12)):
        names = tuple(f"{row:02}.png" for row in range(12))
        sets = [FaceSet(names, noise_faces(12, seed, 16).pixels[order]) for seed in (1, 2)]
        rows = [(name, domain, "validation") for domain in ("photo", "painting") for name in names]
        splits = pd.DataFrame(rows, columns=["name", "domain", "split"])
        found = nodes.prepare_validation(*sets, splits, settings, judging, FACES)
        chosen.append(
            [{few[row].tobytes() for row in range(4)} for few in (found.photos, found.paintings)]
        )
        assert (len(found.photos), len(found.paintings)) == (4, 4)
    assert chosen[0] == chosen[1]
    with pytest.raises(PortraitPipelineError, match="teacher=dlib"):
        nodes.prepare_validation(
            *sets, splits, settings, judging.model_copy(update={"judge": "dlib"}), FACES
        )


def test_a_model_whose_own_teacher_is_the_judge_is_refused() -> None:
    """The teacher of the model's entry counts, not that of `training`; the baseline has none."""
    judged = dataclasses.replace(NO_VALIDATION, judge_name="faceres")
    taught = ModelParameters(training={"lambda_perceptual": 1.0, "teacher": "faceres"})
    services = ORIGIN, MemoryStore(), MemoryTracker()
    with pytest.raises(PortraitPipelineError, match="teacher=faceres"):
        nodes.training_of("own", taught)(BLIND, judged, SETTINGS, *services)
    short = SETTINGS.model_copy(update={"num_epochs": 1})
    nodes.training_of("baseline", BASELINE)(BLIND, judged, short, *services)
