"""Wiring of the trainings: one node for each model and seed, in its namespace, tagged `gpu`."""

from collections.abc import Iterable

from kedro.pipeline import Node, Pipeline

from portrait_pipeline.parameters import ModelParameters
from portrait_pipeline.pipelines.training import nodes

CROPS = ["photo_faces", "painting_faces", "splits"]


def create_preparation(models: Iterable[ModelParameters]) -> Pipeline:
    """Prepare once what the trainings of `models` share."""
    is_taught = any(_shares_the_teacher(model) for model in models)
    return Pipeline([*_data(), *([_teaching()] if is_taught else [])])


def create_pipeline(
    name: str, model: ModelParameters, takes_chosen_lambda: bool = False
) -> Pipeline:
    """Train one model on what `create_preparation` prepares.

    Args:
        name: How the model is called in the catalog and in MLflow.
        model: What differs from `training`.
        takes_chosen_lambda: Take λ_p from `chosen_lambda`, in place of the parameters.
    """
    if not takes_chosen_lambda:
        return _training(name, model, "params:training")
    settings = Node(
        func=nodes.use_chosen_lambda,
        inputs=["params:training", "chosen_lambda"],
        outputs="settings_with_chosen_lambda",
        name="use_chosen_lambda",
    )
    return Pipeline([settings]) + _training(name, model, "settings_with_chosen_lambda")


def create_tuning(name: str, model: ModelParameters) -> Pipeline:
    """Train one model on the pairs of the tuning (report, 5.3)."""
    settings = Node(
        func=nodes.set_tuning_budget,
        inputs=["params:training", "params:tuning"],
        outputs="tuning_settings",
        name="set_tuning_budget",
    )
    return Pipeline([settings]) + _training(name, model, "tuning_settings")


def _training(name: str, model: ModelParameters, settings: str) -> Pipeline:
    train = Node(
        func=nodes.training_of(name, model),
        inputs=[
            "taught_data" if _shares_the_teacher(model) else "training_data",
            "validation",
            settings,
            "provenance",
            f"{name}_training_state",
            f"{name}_run",
        ],
        outputs=[f"{name}_checkpoint", f"{name}_history"],
        name="train_model",
        namespace=name,
        tags="gpu",
    )
    return Pipeline([train])


def _shares_the_teacher(model: ModelParameters) -> bool:
    """Whether the embeddings of the teacher of `training` train this model."""
    return model.is_taught and not {"teacher", "teacher_weights"} & set(model.training)


def _data() -> list[Node]:
    return [
        Node(
            func=nodes.select_training_data,
            inputs=CROPS,
            outputs="training_data",
            name="select_training_data",
        ),
        Node(
            func=nodes.describe_training,
            inputs=["splits", "params:faces"],
            outputs="provenance",
            name="describe_training",
        ),
        Node(
            func=nodes.prepare_validation,
            inputs=[*CROPS, "params:training", "params:evaluation", "params:faces"],
            outputs="validation",
            name="prepare_validation",
        ),
    ]


def _teaching() -> Node:
    return Node(
        func=nodes.embed_training_faces,
        inputs=["training_data", "params:training", "params:faces", "embedding_store"],
        outputs="taught_data",
        name="embed_training_faces",
    )
