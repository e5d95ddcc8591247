"""Wiring of the trainings: one node per model, in a namespace of its own, tagged `gpu`."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Node, Pipeline, node, pipeline

from portrait_pipeline.pipelines.training import nodes

CROPS = ["photo_faces", "painting_faces", "splits"]


def create_baseline() -> Pipeline:
    """Train the baseline; no face network is loaded."""
    settings = "params:training"
    return pipeline(
        [*_data(), _training(nodes.train_baseline, "baseline", "training_data", settings)]
    )


def create_lambda_from_parameters() -> Pipeline:
    """Stand in for the tuning where `train_proposed` runs alone."""
    return pipeline(
        [
            node(
                nodes.take_lambda_from_parameters,
                "params:training",
                "chosen_lambda",
                name="take_lambda_from_parameters",
            )
        ]
    )


def create_proposed() -> Pipeline:
    """Train the proposed model with the λ_p in `chosen_lambda`."""
    settings = node(
        nodes.use_chosen_lambda,
        ["params:training", "chosen_lambda"],
        "proposed_settings",
        name="use_chosen_lambda",
    )
    train = _training(nodes.train_proposed, "proposed", "taught_data", "proposed_settings")
    return pipeline([*_data(), _teaching(), settings, train])


def create_tuning(
    model: str, lambda_perceptual: float = 0.0, perceptual_gradient_share: float | None = None
) -> Pipeline:
    """Train on the pairs of the tuning (report, 5.3) with one λ_p, or one share of the gradient."""
    settings = node(
        nodes.set_tuning_budget,
        ["params:training", "params:tuning"],
        "tuning_settings",
        name="set_tuning_budget",
    )
    function = nodes.training_at(model, lambda_perceptual, perceptual_gradient_share)
    is_taught = lambda_perceptual > 0.0 or perceptual_gradient_share is not None
    data = "taught_data" if is_taught else "training_data"
    return pipeline(
        [*_data(), _teaching(), settings, _training(function, model, data, "tuning_settings")]
    )


def _data() -> list[Node]:
    return [
        node(nodes.select_training_data, CROPS, "training_data", name="select_training_data"),
        node(
            nodes.prepare_validation,
            [*CROPS, "params:training", "params:evaluation", "params:faces"],
            "validation",
            name="prepare_validation",
        ),
    ]


def _teaching() -> Node:
    return node(
        nodes.embed_training_faces,
        ["training_data", "params:training", "params:faces", "embedding_store"],
        "taught_data",
        name="embed_training_faces",
    )


def _training(function: Callable[..., Any], model: str, data: str, settings: str) -> Node:
    return node(
        function,
        [data, "validation", settings, "params:faces", f"{model}_training_state", f"{model}_run"],
        [f"{model}_checkpoint", f"{model}_history"],
        name=f"train_{model}",
        namespace=model,
        tags="gpu",
    )
