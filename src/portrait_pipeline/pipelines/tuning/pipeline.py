"""Wiring of the choice of λ_p; the registry adds the trainings and scorings that precede it."""

from kedro.pipeline import Pipeline, node, pipeline

from portrait_pipeline.pipelines.tuning import nodes


def create_pipeline(models: tuple[str, ...]) -> Pipeline:
    """Choose among `models`, the names of the trainings of the grid."""
    summaries = [f"{model}_summary" for model in ("lambda_0", *models)]
    return pipeline(
        [
            node(
                nodes.choose,
                ["params:tuning", *summaries],
                ["lambda_table", "chosen_lambda"],
                name="choose_lambda",
            )
        ]
    )


def create_share_pipeline(models: tuple[str, ...]) -> Pipeline:
    """Lay `models`, trained with kept shares of the gradient, out in a table like that of λ_p."""
    summaries = [f"{model}_summary" for model in models]
    return pipeline([node(nodes.tabulate, summaries, "share_table", name="tabulate_shares")])
