"""Wiring of the trainings: one node for each model and seed, in its namespace, tagged `gpu`."""

from kedro.pipeline import Node, Pipeline

from portrait_pipeline.parameters import ModelParameters
from portrait_pipeline.pipelines.training import nodes

CROPS = ["photo_faces", "painting_faces", "splits"]


def create_pipeline(
    name: str, model: ModelParameters, takes_chosen_lambda: bool = False
) -> Pipeline:
    """Train one model.

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
    has_own_teacher = bool({"teacher", "teacher_weights"} & set(model.training))
    data = "taught_data" if model.is_taught and not has_own_teacher else "training_data"
    train = Node(
        func=nodes.training_of(name, model),
        inputs=[
            data,
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
    return Pipeline([*_data(), *([_teaching()] if data == "taught_data" else []), train])


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
