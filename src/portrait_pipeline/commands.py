"""What people do with a trained model: `kedro portray` and `kedro app`."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import click
import pandas as pd
from kedro.framework.cli.utils import _split_params
from kedro.framework.session import KedroSession
from kedro.framework.startup import ProjectMetadata
from kedro.io import DataCatalog

from portrait_pipeline.datasets.trained_models import Runtime, TrainedModels
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.file_names import name_as_text, printable, user_path
from portrait_pipeline.old_names import present_parameters
from portrait_pipeline.parameters import EvaluationParameters, Judge, PortrayingParameters
from portrait_pipeline.portrayal.batch import PhotoBatch, outcome_table
from portrait_pipeline.portrayal.naming import PictureWriter
from portrait_pipeline.portrayal.portrayer import Portrayer
from portrait_pipeline.portrayal.similarity import DescriptorJudge, load_judge_of_faces
from portrait_pipeline.sources.files import ListedFile, list_folder, listed_files
from portrait_pipeline.terminal import configure_logging, exit_with_one_sentence

NOT_ALL_PORTRAYED = 3
"""Exit code when at least one photo could not be read or shows no face."""
BATCH_SIZE = 8
MAX_LISTED = 40
DEFAULT_PORT = 7860


class UserPath(click.Path):
    """A path in which `~` is the user's home, also after `--out=`, where no shell replaces it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path."""
        return user_path(os.fsdecode(super().convert(value, param, ctx)))


@dataclass(frozen=True)
class ModelLocation:
    """Where the models are: project, environment, workspace; and what runs them."""

    project: Path
    env: str | None
    workspace: str | None
    runtime: Runtime
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PortrayOptions:
    """What `kedro portray` was asked for."""

    photos: tuple[Path, ...]
    out: Path
    model: str
    faces: Literal["largest", "all"]
    paste_back: bool
    compare: bool
    force: bool


@dataclass(frozen=True)
class OpenedModels:
    """The trained models of a location, and its judge."""

    models: TrainedModels
    judge_name: Judge
    judge_weights: str | None

    def judge(self, margin: float) -> DescriptorJudge:
        """Load the judge for crops with this margin."""
        return load_judge_of_faces(self.judge_name, self.judge_weights, margin)


LOCATION_OPTIONS = (
    click.option("--env", "-e", default=None, help="sample, or base for the report's own models."),
    click.option("--workspace", default=None, help="By default that of the environment."),
    click.option(
        "--params",
        type=click.UNPROCESSED,
        default="",
        callback=_split_params,
        help="Settings as in `kedro run`, such as evaluation.judge=geometry.",
    ),
    click.option(
        "--runtime",
        type=click.Choice(["auto", "torch", "onnx"]),
        default="auto",
        help="auto: ONNX where the model was exported, else PyTorch.",
    ),
    click.option("--verbose", "-v", is_flag=True, help="Show all logs and tracebacks."),
)


def _takes_location(command: Any) -> Any:
    for option in reversed(LOCATION_OPTIONS):
        command = option(command)
    return command


@click.command()
@click.argument("photos", nargs=-1, required=True, type=UserPath())
@click.option("--out", required=True, type=UserPath(), help="Folder to write to.")
@click.option("--model", default="proposed", help="baseline, proposed, an MLflow run, …")
@click.option("--faces", type=click.Choice(["largest", "all"]), default="largest")
@click.option("--paste-back", is_flag=True, help="Lay the portrait into the whole photo.")
@click.option("--compare", is_flag=True, help="Write strips photo | baseline | proposed instead.")
@click.option("--force", is_flag=True, help="Replace pictures that are there.")
@_takes_location
@click.pass_context
def portray(context: click.Context, /, verbose: bool, **options: Any) -> None:
    """Make portraits of PHOTOS: files, folders, or both.

    Ends with a table of what happened to each file; the exit code is 3 when a photo could not be
    read or shows no face.
    """
    _configure(context, verbose)
    location = _location_of(context, options)
    table: pd.DataFrame = exit_with_one_sentence(
        lambda: _portray(location, PortrayOptions(**options)), verbose
    )
    click.echo(describe(table, options["out"]))
    if (table["result"] != "portrayed").any():
        context.exit(NOT_ALL_PORTRAYED)


@click.command()
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen at; 0.0.0.0 opens the page to your network (see docs/security.md).",
)
@click.option("--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--allow-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    help="A further name under which the page may be called, such as that of a proxy; repeatable.",
)
@_takes_location
@click.pass_context
def app(context: click.Context, /, verbose: bool, **options: Any) -> None:
    """Open the web page: upload a photo, see its portraits."""
    _configure(context, verbose)
    location = _location_of(context, options)
    exit_with_one_sentence(lambda: _serve(location, **options), verbose)


def _configure(context: click.Context, verbose: bool) -> None:
    if context.obj is not None:
        configure_logging(context.obj, verbose)


def _location_of(context: click.Context, options: dict[str, Any]) -> ModelLocation:
    metadata: ProjectMetadata | None = context.obj
    if metadata is None:
        raise click.UsageError("this is not the project's folder; cd to where pyproject.toml is")
    given = {name: options.pop(name) for name in ("env", "workspace", "runtime", "params")}
    return ModelLocation(Path(metadata.project_path), **given)


@contextmanager
def open_models(location: ModelLocation) -> Iterator[OpenedModels]:
    """Open the catalog of a location; nothing is run, nothing is tracked."""
    runtime_params = present_parameters(location.params)
    if location.workspace:
        runtime_params["workspace"] = location.workspace
    session = KedroSession.create(
        location.project, env=location.env, runtime_params=runtime_params, save_on_close=False
    )
    with session:
        context = session.load_context()
        settings = context.config_loader["parameters"]["evaluation"]
        evaluation = EvaluationParameters(**settings)
        env = f" --env={location.env}" if location.env else ""
        models = TrainedModels(
            _model_catalog(location.project, context.config_loader["catalog"]),
            context.mlflow.tracking.experiment.name,  # type: ignore[attr-defined]  # kedro-mlflow adds it
            location.runtime,
            evaluation.use_averaged_generator,
            "make demo" if location.env == "sample" else f"kedro run{env}",
        )
        yield OpenedModels(models, evaluation.judge, evaluation.judge_weights)


def _model_catalog(project: Path, entries: Mapping[str, dict[str, Any]]) -> DataCatalog:
    """Make a catalog of the trained models alone.

    Kedro's own, like its parameters, would load every pipeline first, and with them PyTorch.
    """
    kept = {
        name: {**entries[name], "filepath": str(project / entries[name]["filepath"])}
        for name in ("{model}_checkpoint", "{model}_onnx")
    }
    return DataCatalog.from_config(kept)


def _portray(location: ModelLocation, options: PortrayOptions) -> pd.DataFrame:
    if options.compare and options.paste_back:
        raise PortraitPipelineError("--compare and --paste-back were both given, expected one")
    files = find_files(options.photos, options.out)
    with open_models(location) as opened:
        names = ("baseline", "proposed") if options.compare else (options.model,)
        portrayer = Portrayer([opened.models.load(name) for name in names], BATCH_SIZE)
        judge = None
        if options.compare:
            portrayer.refuse_teacher(opened.judge_name)
            judge = opened.judge(portrayer.preparation.margin)
        settings = PortrayingParameters(
            faces=options.faces,
            paste_back=options.paste_back,
            compare=options.compare,
            batch_size=BATCH_SIZE,
        )
        writer = PictureWriter(options.out, options.force)
        return outcome_table(PhotoBatch(portrayer, writer, settings, judge).run(files))


def find_files(photos: Sequence[Path], out: Path) -> list[ListedFile]:
    """List what the person named: every file of a folder but those in `out`, and files as they are.

    Raises:
        PortraitPipelineError: if something is not there, a folder is where portraits would go, or
            nothing is left.
    """
    files: list[ListedFile] = []
    for given in photos:
        if given.is_dir():
            files += _files_of_folder(given, out)
        elif given.exists():
            files.append((name_as_text(str(given)), given))
        else:
            raise PortraitPipelineError(
                f"{given} is not there, expected a photo or a folder of photos"
            )
    if not files:
        raise PortraitPipelineError(
            f"{', '.join(map(str, photos))} holds no photo outside of --out {out}, expected at"
            " least one: choose another --out"
        )
    return files


def _files_of_folder(folder: Path, out: Path) -> list[ListedFile]:
    inside = os.path.realpath(out)
    if os.path.realpath(folder) == inside:
        raise PortraitPipelineError(
            f"--out {out} is the folder of the photos, expected another folder"
        )
    return [
        (name, path)
        for name, path in listed_files(list_folder(folder, "name a folder with photos"))
        if not (isinstance(path, Path) and Path(os.path.realpath(path)).is_relative_to(inside))
    ]


def describe(table: pd.DataFrame, out: Path) -> str:
    """Say what happened to each file, in lines that a terminal does not break."""
    left_out = table[table["result"] != "portrayed"]
    shown = table if len(table) <= MAX_LISTED else left_out.head(MAX_LISTED)
    lines = [
        f"  {row.result:<12}{printable(str(row.photo))}{_details(row)}"
        for row in shown.itertuples(index=False)
    ]
    unlisted = left_out[~left_out.index.isin(shown.index)]
    if len(unlisted):
        counts = unlisted["result"].value_counts()
        each = ", ".join(f"{count} {result}" for result, count in counts.items())
        lines.append(f"  … and {len(unlisted)} more: {each}")
    num_done = int((table["result"] == "portrayed").sum())
    lines.append(f"{num_done} of {len(table)} photos portrayed, in {printable(str(out))}")
    return "\n".join(lines)


def _details(row: Any) -> str:
    if row.result == "portrayed":
        faces = f" ({row.faces} faces)" if row.faces > 1 else ""
        return f" → {row.files}{faces}"
    return f": {printable(row.detail)}" if row.detail and row.detail != row.result else ""


def _serve(location: ModelLocation, host: str, port: int, allowed_hosts: Sequence[str]) -> None:
    # imported here, so that portraits are made without loading a web server
    from portrait_pipeline.demo.app import serve  # noqa: PLC0415

    with open_models(location) as opened:
        serve(opened.models, opened.judge, host, port, allowed_hosts)
