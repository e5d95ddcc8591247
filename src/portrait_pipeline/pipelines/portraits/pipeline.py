"""The wiring: a folder of photos to a folder of portraits, and trained models to ONNX."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from portrait_pipeline.pipelines.portraits import nodes


def create_pipeline() -> Pipeline:
    """Return the pipeline `portraits`: folder in, folder out, with the model that was chosen."""
    make = Node(
        func=nodes.make_portraits,
        inputs=[
            "photos_to_portray",
            "portraying_checkpoint",
            "portrait_folder",
            "params:portraying",
            "params:evaluation",
        ],
        outputs="portrait_table",
        name="make_portraits",
    )
    return Pipeline([make])


def create_export(models: Sequence[str]) -> Pipeline:
    """Return the pipeline `export`: every model as ONNX, in the catalog and in the registry."""
    return sum((_export(model) for model in models), Pipeline([]))


def _export(model: str) -> Pipeline:
    return Pipeline(
        [
            Node(
                func=nodes.export_to_onnx,
                inputs=[f"{model}_checkpoint", "params:evaluation"],
                outputs=f"{model}_onnx",
                name="export_to_onnx",
                namespace=model,
            ),
            Node(
                func=nodes.publish_model,
                inputs=[f"{model}_onnx", f"{model}_checkpoint"],
                outputs=f"{model}_registered",
                name="publish_model",
                namespace=model,
            ),
        ]
    )
