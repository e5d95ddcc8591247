"""How the settings of each training follow from those of the user, and how trainings are wired."""

import pytest
from support.tiny_model import TRAINING

from portrait_pipeline.parameters import TrainingParameters, TuningParameters
from portrait_pipeline.pipeline_registry import LAMBDA_GRID, register_pipelines
from portrait_pipeline.pipelines.training import nodes

SETTINGS = TrainingParameters(**{**TRAINING, "lambda_perceptual": 5.0, "num_epochs": 50})
PIPELINES = register_pipelines()


def test_the_chosen_lambda_and_nothing_else_is_given_to_the_proposed_model() -> None:
    """What `tune` chose replaces the λ_p of the parameters."""
    changed = nodes.set_proposed_budget(SETTINGS, {"lambda_perceptual": 0.5, "rule": "pareto"})
    assert changed == SETTINGS.model_copy(update={"lambda_perceptual": 0.5})


def test_without_a_tuning_the_parameters_say_lambda() -> None:
    """`train_proposed` alone uses λ_p from the parameters, and says so."""
    assert nodes.take_lambda_from_parameters(SETTINGS) == {
        "lambda_perceptual": 5.0,
        "rule": "parameters",
    }


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
        assert node.name.split(".")[-1] == f"train_{node.namespace}"


def test_the_tuning_has_one_training_for_each_lambda() -> None:
    """The grid of the report, and the reference with λ_p = 0."""
    namespaces = {
        node.namespace
        for node in PIPELINES["tune"].nodes
        if node.name.split(".")[-1].startswith("train_")
    }
    assert namespaces == {"reference", *(f"lambda_{weight:g}" for weight in LAMBDA_GRID)}


def test_by_default_the_proposed_model_waits_for_the_tuning() -> None:
    """`chosen_lambda` comes from `choose_lambda`; alone, from the parameters."""
    makers = {
        name: [node.name for node in PIPELINES[name].nodes if "chosen_lambda" in node.outputs]
        for name in ("__default__", "train_proposed")
    }
    assert makers == {
        "__default__": ["choose_lambda"],
        "train_proposed": ["take_lambda_from_parameters"],
    }


def test_the_baseline_knows_no_face_network() -> None:
    """Neither the store of embeddings nor taught data are among what it needs."""
    assert not {"embedding_store", "taught_data"} & PIPELINES["train_baseline"].datasets()
