"""What MLflow shows of a run beside its numbers: a description, and which pictures it used."""

import hashlib
from collections.abc import Mapping
from typing import Any

import pandas as pd
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import Dataset, DatasetInput, InputTag

NOTE = "mlflow.note.content"
COMMAND = "kedro_command"
MAX_DIGEST = 36  # of the column in MLflow's database
SHOWN_DIGEST = 12


class Pictures(MetaDataset):
    """Pictures that MLflow knows by name and hash alone."""

    @property
    def profile(self) -> None:
        """Return no statistics: the report page has them."""


def dataset_input(name: str, digest: str, context: str) -> DatasetInput:
    """Return what MLflow's column `Dataset` shows: a name, a hash, and what the pictures were for.

    Args:
        name: Of the pictures.
        digest: A hash of their content; MLflow keeps its first 36 characters.
        context: What they were used for, such as `training`.
    """
    source = CodeDatasetSource(tags={"catalog": name})
    known = Pictures(source, name=name, digest=digest[:MAX_DIGEST]).to_dict()
    dataset = Dataset(**{key: known[key] for key in ("name", "digest", "source_type", "source")})
    return DatasetInput(dataset, [InputTag("mlflow.data.context", context)])


def digest_of(table: pd.DataFrame) -> str:
    """Return a hash of a table's content, such as that of the splits."""
    written = table.to_csv(index=False).encode("utf-8", "surrogatepass")
    return hashlib.sha256(written).hexdigest()[:SHOWN_DIGEST]


def describe_training(
    name: str, parameters: Mapping[str, Any], tags: Mapping[str, str], parent: str | None
) -> str:
    """Say in Markdown what a model's run holds, and how to train the model again.

    Args:
        name: Of the model.
        parameters: Of its training.
        tags: Of its run, with the command that trained it where a pipeline did.
        parent: Address of the pipeline's run, as a page of MLflow; None where there is none.
    """
    facts = [
        f"{label} {parameters[key]:g}" if isinstance(parameters[key], float) else
        f"{label} {parameters[key]}"
        for key, label in (
            ("lambda_perceptual", "λ_p"),
            ("seed", "seed"),
            ("image_size_px", "pixels"),
            ("num_epochs", "epochs"),
        )
        if parameters.get(key) is not None
    ]  # fmt: skip
    lines = [f"CycleGAN **{name}**" + (f": {', '.join(facts)}." if facts else ".")]
    if COMMAND in tags:
        lines.append(f"Trained by `{tags[COMMAND]}`.")
    if parent is not None:
        lines.append(f"Tables, plots and page: [the pipeline's run]({parent}).")
    return "  \n".join(lines)


def describe_pipeline(command: str) -> str:
    """Say in Markdown what the run of a pipeline holds."""
    return (
        f"`{command}`  \nThe tables, plots, figure and page that this command made are among the"
        " artifacts, in `report`. Each model that it trained has a run of its own."
    )
