"""Wiring of the evaluation: the models and the controls on the test photographs."""

from collections.abc import Mapping

from kedro.pipeline import Node, Pipeline

from portrait_pipeline.parameters import Split
from portrait_pipeline.pipelines.evaluation import nodes

PICTURES = ["photo_faces", "painting_faces", "twin_faces", "splits"]
_GATHER = {
    "validation": nodes.gather_validation_reference,
    "test": nodes.gather_test_reference,
}


def create_pipeline(models: Mapping[str, str], compared: Mapping[str, str]) -> Pipeline:
    """Judge all models and all controls on the test set (report, section 6).

    Args:
        models: Every trained model, and the name of the settings that it shares with those of
            other seeds.
        compared: A model, and the one that its pictures are compared with, picture by picture.
    """
    scored = sum((create_scoring(model, "test") for model in models), Pipeline([]))
    return scored + Pipeline(
        [
            Node(
                func=nodes.score_controls,
                inputs=["test_reference"],
                outputs="controls_summary",
                name="score_controls",
                tags="scoring",
            ),
            Node(
                func=nodes.score_shipped_model,
                inputs=["test_reference", "ingestion_audit"],
                outputs="shipped_summary",
                name="score_shipped_model",
                tags="scoring",
            ),
            Node(
                func=nodes.tabulate_comparison,
                inputs=[
                    "shipped_summary",
                    "controls_summary",
                    *(f"{model}_summary" for model in models),
                ],
                outputs=["comparison", "checkpoint_spread"],
                name="tabulate_comparison",
            ),
            Node(
                func=nodes.summary_over_seeds(models),
                inputs=["comparison"],
                outputs="seed_summary",
                name="summarise_seeds",
            ),
            Node(
                func=nodes.comparison_of(tuple(models), compared),
                inputs=["params:evaluation", *(f"{model}_scores" for model in models)],
                outputs=["differences", "conclusion"],
                name="compare_models",
            ),
            Node(
                func=nodes.gather_run_facts,
                inputs=["environment", *(f"{model}_checkpoint" for model in models)],
                outputs="run_facts",
                name="gather_run_facts",
            ),
        ]
    )


def create_scoring(model: str, split: Split) -> Pipeline:
    """Translate the photographs of a split with one model and judge the portraits."""
    reference = f"{split}_reference"
    made = [f"{model}_portraits", f"{model}_reconstructions", f"{model}_portraits_by_epoch"]
    return Pipeline(
        [
            Node(
                func=_GATHER[split],
                inputs=[*PICTURES, "params:evaluation", "params:training", "params:faces"],
                outputs=reference,
                name=f"gather_{split}_reference",
            ),
            Node(
                func=nodes.translate_photos,
                inputs=[reference, f"{model}_checkpoint", "params:evaluation", "splits"],
                outputs=made,
                name="translate_photos",
                namespace=model,
                tags="gpu",
            ),
            Node(
                func=nodes.score_model,
                inputs=[reference, f"{model}_checkpoint", *made, f"{model}_run"],
                outputs=[f"{model}_scores", f"{model}_summary"],
                name="score_model",
                namespace=model,
                tags="scoring",
            ),
        ]
    )
