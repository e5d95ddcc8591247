"""What MLflow's registry says of an exported model: its origin, and which version to use."""

from collections.abc import Mapping

from mlflow.tracking import MlflowClient

from portrait_pipeline.datasets.run_description import COMMAND

ALIAS = "champion"
"""The alias of the version that was registered last: `models:/NAME@champion` loads it."""
TOLD = ("lambda_perceptual", "teacher", "seed", "num_epochs", "image_size_px")
PURPOSE = (
    "Turns crops of faces in photographs into painted portraits: uint8 (batch, size, size, 3) in"
    " and out. Made by `kedro run --pipeline=export`, used by"
    " `kedro portray --model {name}@{alias}`."
)


def describe_version(client: MlflowClient, name: str, version: str, run_id: str | None) -> None:
    """Describe a version that was just registered, tag it, and give it the alias.

    Args:
        client: Of the store.
        name: Of the registered model.
        version: That was made.
        run_id: The run that trained it; None where it was not tracked.
    """
    run = None if run_id is None else client.get_run(run_id)
    settings = {} if run is None else run.data.params
    origin = {} if run is None else {key: run.data.tags.get(key) for key in (COMMAND, "data_hash")}
    tags = {key: settings[key] for key in TOLD if key in settings}
    tags |= {key: value for key, value in origin.items() if value}
    client.update_registered_model(name, PURPOSE.format(name=name, alias=ALIAS))
    client.update_model_version(name, version, _sentence(tags))
    for key, value in tags.items():
        client.set_model_version_tag(name, version, key, value)
    client.set_registered_model_tag(name, "task", "photo-to-portrait")
    client.set_registered_model_alias(name, ALIAS, version)


def _sentence(tags: Mapping[str, str]) -> str:
    if COMMAND not in tags:
        return "Nothing is known of its training: its run is gone."
    weight = tags.get("lambda_perceptual", "unknown")
    return (
        f"Trained with λ_p = {weight} and seed {tags.get('seed', 'unknown')} by `{tags[COMMAND]}`."
    )
