"""Wiring of the evaluation: the models and the controls on the test photographs."""

from typing import Any

from kedro.pipeline import Node, Pipeline, node, pipeline

from portrait_pipeline.parameters import Split
from portrait_pipeline.pipelines.evaluation import nodes


def create_pipeline(**kwargs: Any) -> Pipeline:
    """Judge baseline and proposed model and all controls on the test set (report, section 6)."""
    del kwargs
    compared = ["baseline_summary", "proposed_summary", "controls_summary"]
    scores = ["baseline_scores", "proposed_scores"]
    tables = pipeline(
        [
            node(nodes.score_controls, "test_reference", "controls_summary", name="score_controls"),
            node(
                nodes.tabulate_comparison,
                compared,
                ["comparison", "checkpoint_spread"],
                name="tabulate_comparison",
            ),
            node(
                nodes.compare_models,
                [*scores, "params:evaluation"],
                "conclusion",
                name="compare_models",
            ),
            node(
                nodes.gather_run_facts,
                ["baseline_checkpoint", "proposed_checkpoint", "environment"],
                "run_facts",
                name="gather_run_facts",
            ),
        ]
    )
    return create_scoring("baseline", "test") + create_scoring("proposed", "test") + tables


def create_scoring(model: str, split: Split) -> Pipeline:
    """Translate the photographs of a split with one model and judge the portraits."""
    reference = f"{split}_reference"
    pictures = [
        f"{model}_portraits",
        f"{model}_reconstructions",
        f"{model}_portraits_by_epoch",
    ]
    return pipeline(
        [
            _reference(split),
            node(
                nodes.translate_photos,
                [reference, f"{model}_checkpoint", "params:evaluation"],
                pictures,
                name=f"translate_photos_with_{model}",
                namespace=model,
                tags="gpu",
            ),
            node(
                nodes.score_model,
                [reference, f"{model}_checkpoint", *pictures, f"{model}_run"],
                [f"{model}_scores", f"{model}_summary"],
                name=f"score_{model}",
                namespace=model,
            ),
        ]
    )


def _reference(split: Split) -> Node:
    crops = ["photo_faces", "painting_faces", "twin_faces", "splits"]
    return node(
        _GATHER[split],
        [*crops, "params:evaluation", "params:training", "params:faces"],
        f"{split}_reference",
        name=f"gather_{split}_reference",
    )


# One function per split, so that pipelines that share the node agree that it is the same.
_GATHER = {split: nodes.reference_of(split) for split in ("validation", "test")}
