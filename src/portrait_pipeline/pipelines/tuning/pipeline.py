"""Wiring of the choice of λ_p; the registry adds the trainings and scorings that precede it."""

from kedro.pipeline import Node, Pipeline

from portrait_pipeline.pipelines.tuning import nodes


def create_pipeline(models: tuple[str, ...]) -> Pipeline:
    """Choose among `models`, the names of the trainings of the grid."""
    choose = Node(
        func=nodes.choose_lambda,
        inputs=["params:tuning", *(f"{model}_summary" for model in ("lambda_0", *models))],
        outputs=["lambda_table", "chosen_lambda"],
        name="choose_lambda",
    )
    return Pipeline([choose])


def create_share_pipeline(models: tuple[str, ...]) -> Pipeline:
    """Lay `models`, trained with kept shares of the gradient, out in a table like that of λ_p."""
    tabulate = Node(
        func=nodes.tabulate_shares,
        inputs=[f"{model}_summary" for model in models],
        outputs="share_table",
        name="tabulate_shares",
    )
    return Pipeline([tabulate])
