"""What people do with a trained model: `kedro portray` and `kedro app`."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import click
from kedro.framework.cli.utils import _split_params, split_string
from kedro.framework.session import KedroSession
from kedro.framework.startup import ProjectMetadata
from kedro.io import DataCatalog
from pydantic import ValidationError

from portrait_pipeline.datasets.trained_models import Runtime, TrainedModels
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.given_text import keep_text
from portrait_pipeline.old_names import present_parameters
from portrait_pipeline.options import ADDRESS_OPTIONS, SIZE_OPTION, UserPath, takes
from portrait_pipeline.parameters import EvaluationParameters, Judge, PortrayingParameters
from portrait_pipeline.portrayal.batch import PhotoBatch
from portrait_pipeline.portrayal.naming import PictureWriter
from portrait_pipeline.portrayal.outcomes import NOT_ALL_PORTRAYED, Outcome, describe
from portrait_pipeline.portrayal.photo_files import find_photos
from portrait_pipeline.portrayal.portrayer import FacePortrayer
from portrait_pipeline.portrayal.similarity import (
    DescriptorJudge,
    load_judge_of_faces,
    load_recogniser,
)
from portrait_pipeline.terminal import (
    configure_logging,
    exit_with_one_sentence,
    sentence_of_validation,
)

Settings = TypeVar("Settings", EvaluationParameters, PortrayingParameters)


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
    model: str | None
    faces: Literal["largest", "all"]
    paste_back: bool
    whole: bool
    size_px: int | None
    compare: bool
    force: bool


@dataclass(frozen=True)
class OpenedModels:
    """The trained models of a location, its judge, and how photos are portrayed there."""

    models: TrainedModels
    judge_name: Judge
    judge_weights: str | None
    portraying: PortrayingParameters
    drawn_only: bool = False
    is_judge_chosen: bool = True

    def judge(self, margin: float, teachers: tuple[str, ...] = ()) -> DescriptorJudge:
        """Load the judge for crops with this margin.

        Where nobody chose one, geometry gives way to a network that recognises people, if one is
        there that trained none of the models.
        """
        judge = None
        if self.judge_name == "geometry" and not self.is_judge_chosen:
            judge = load_recogniser(teachers, margin)
        judge = judge or load_judge_of_faces(self.judge_name, self.judge_weights, margin)
        return replace(judge, drawn_only=self.drawn_only)


params_as_typed = partial(keep_text, convert=_split_params, split=split_string)
"""Reads `--params` as Kedro does, but keeps names and paths as they are typed."""

LOCATION_OPTIONS = (
    click.option("--env", "-e", default=None, help="sample, or base for the report's own models."),
    click.option("--workspace", default=None, help="By default that of the environment."),
    click.option(
        "--params",
        type=click.UNPROCESSED,
        default="",
        callback=params_as_typed,
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


@click.command()
@click.argument("photos", nargs=-1, required=True, type=UserPath())
@click.option("--out", required=True, type=UserPath(), help="Folder to write to.")
@click.option(
    "--model",
    default=None,
    help="baseline, proposed, pretrained (the package's own), an MLflow run, …; by default proposed"
    " where it is trained, else pretrained.",
)
@click.option("--faces", type=click.Choice(["largest", "all"]), default="largest")
@click.option("--paste-back", is_flag=True, help="Lay the portrait into the whole photo.")
@click.option("--whole", is_flag=True, help="Paint the whole photo, not the face alone.")
@SIZE_OPTION
@click.option("--compare", is_flag=True, help="Write strips photo | baseline | proposed instead.")
@click.option("--force", is_flag=True, help="Replace pictures that are there.")
@takes(*LOCATION_OPTIONS)
@click.pass_context
def portray(context: click.Context, /, verbose: bool, **options: Any) -> None:
    """Make portraits of PHOTOS: files, folders, or both.

    Ends with a table of what happened to each file; the exit code is 3 when a photo could not be
    read or shows no face.
    """
    configure(context, verbose)
    location = _location_of(context, options)
    outcomes: list[Outcome] = exit_with_one_sentence(
        lambda: _portray(location, PortrayOptions(**options)), verbose
    )
    click.echo(describe(outcomes, options["out"]))
    if any(outcome.result != "portrayed" for outcome in outcomes):
        context.exit(NOT_ALL_PORTRAYED)


@click.command()
@takes(*ADDRESS_OPTIONS)
@takes(*LOCATION_OPTIONS)
@click.pass_context
def app(context: click.Context, /, verbose: bool, **options: Any) -> None:
    """Open the web page: upload a photo, see its portraits."""
    configure(context, verbose)
    location = _location_of(context, options)
    exit_with_one_sentence(lambda: _serve(location, **options), verbose)


def configure(context: click.Context, verbose: bool) -> None:
    """Give the terminal this project's own words where a command runs in its folder."""
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
        parameters = context.config_loader["parameters"]
        evaluation = _settings(EvaluationParameters, parameters["evaluation"])
        portraying = _settings(PortrayingParameters, parameters["portraying"])
        models = TrainedModels(
            _model_catalog(location.project, context.config_loader["catalog"]),
            context.mlflow.tracking.experiment.name,  # type: ignore[attr-defined]  # kedro-mlflow adds it
            location.runtime,
            evaluation.use_averaged_generator,
            _hint(location),
            portraying.detection_size_px,
        )
        photos = context.config_loader["parameters"]["photos"]
        is_drawn = photos["source"] == "sample" and not photos.get("folder")
        is_chosen = bool({"judge", "evaluation.judge", "evaluation"} & set(location.params))
        judge = evaluation.judge, evaluation.judge_weights
        yield OpenedModels(models, *judge, portraying, is_drawn, is_chosen)


def _settings(model: type[Settings], values: Mapping[str, Any]) -> Settings:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise PortraitPipelineError(sentence_of_validation(str(error))) from error


def _hint(location: ModelLocation) -> str:
    """Say what to type where a model is not trained: the sample's may be there."""
    if location.env == "sample":
        return "run `make demo` first"
    train = f"run `kedro run{f' --env={location.env}' if location.env else ''}` first"
    of_sample = location.project / "data" / "06_models" / "sample"
    if location.workspace or not any(of_sample.glob("*.pt")):
        return train
    return f"add `--env sample` for the models of the sample, which are there, or {train}"


def _model_catalog(project: Path, entries: Mapping[str, dict[str, Any]]) -> DataCatalog:
    """Make a catalog of the trained models alone.

    Kedro's own, like its parameters, would load every pipeline first, and with them PyTorch.
    """
    kept = {
        name: {**entries[name], "filepath": str(project / entries[name]["filepath"])}
        for name in ("{model}_checkpoint", "{model}_onnx")
    }
    return DataCatalog.from_config(kept)


def _portray(location: ModelLocation, options: PortrayOptions) -> list[Outcome]:
    _refuse_two_kinds(options)
    files = find_photos(options.photos, options.out)
    with open_models(location) as opened:
        model = options.model or opened.models.default()
        names = ("baseline", "proposed") if options.compare else (model,)
        batch_size = opened.portraying.batch_size
        portrayer = FacePortrayer([opened.models.load(name) for name in names], batch_size)
        judge = None
        if options.compare:
            portrayer.refuse_teacher(opened.judge_name)
            teachers = tuple(model.teacher for model in portrayer.models if model.teacher)
            judge = opened.judge(portrayer.preparation.window_margin, teachers)
        given = ("faces", "paste_back", "whole", "compare")
        asked = {name: getattr(options, name) for name in given}
        asked |= {"size_px": options.size_px} if options.size_px is not None else {}
        settings = opened.portraying.model_copy(update=asked)
        writer = PictureWriter(options.out, options.force)
        return PhotoBatch(portrayer, writer, settings, judge).run(files)


def _refuse_two_kinds(options: PortrayOptions) -> None:
    kinds = {
        "--compare": options.compare,
        "--paste-back": options.paste_back,
        "--whole": options.whole,
    }
    given = [name for name, is_given in kinds.items() if is_given]
    if len(given) > 1:
        raise PortraitPipelineError(f"{' and '.join(given)} were both given, expected one")


def _serve(location: ModelLocation, host: str, port: int, allowed_hosts: Sequence[str]) -> None:
    # imported here, so that portraits are made without loading a web server
    from portrait_pipeline.demo.app import serve  # noqa: PLC0415

    with open_models(location) as opened:
        serve(opened.models, opened.judge, host, port, allowed_hosts)
