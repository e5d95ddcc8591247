"""What people type for a name or a path is text, stays in the project, and knows their home."""

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from kedro.config import OmegaConfigLoader

from portrait_pipeline.cli import run
from portrait_pipeline.commands import app, portray
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.given_text import TEXT_PARAMETERS, path_from_home, plain_name
from portrait_pipeline.old_names import PARAMETERS
from portrait_pipeline.options import UserPath
from portrait_pipeline.parameters import (
    EvaluationParameters,
    PictureSourceParameters,
    TrainingParameters,
)
from portrait_pipeline.settings import CONFIG_LOADER_ARGS
from portrait_pipeline.terminal import user_error

CONF = Path(__file__).resolve().parents[1] / "conf"


def typed(text: str) -> dict[str, Any]:
    """Parse `kedro run --params <text>` as far as the parameters."""
    with run.make_context("run", ["--params", text]) as context:
        given: dict[str, Any] = context.params["params"]
        return given


def catalog(**given: Any) -> dict[str, Any]:
    resolvers = {**CONFIG_LOADER_ARGS["custom_resolvers"], "project_path": lambda: "."}
    arguments = {**CONFIG_LOADER_ARGS, "custom_resolvers": resolvers}
    loader = OmegaConfigLoader(str(CONF), env="sample", runtime_params=given, **arguments)
    entries: dict[str, Any] = loader["catalog"]
    return entries


@pytest.mark.parametrize(
    "folder",
    ["2024", "007", "1e5", "1_000", "yes", "2024-01-01", "0x1F", "~/a", "[a]", "a: b", "a=b"],
)
def test_a_folder_may_be_called_anything(folder: str) -> None:
    """The text arrives in the parameters and in the model of the source as it was typed."""
    old = [name for name, now in PARAMETERS.items() if now == "paintings_folder"]
    for name in ("photos_folder", "paintings_folder", "pictures_folder", *old):
        assert typed(f"{name}={folder}") == {name: folder}
    assert typed(f"photos.folder={folder}") == {"photos": {"folder": folder}}
    assert typed(f"portraits.folder={folder}") == {"portraits": {"folder": folder}}
    source = PictureSourceParameters(source="kaggle", folder=folder)
    assert (source.source, source.folder) == ("folder", folder)


@pytest.mark.parametrize("command", [portray, app])
@pytest.mark.parametrize("folder", ["2024", "007", "1e5", "yes", "~/a"])
def test_names_are_text_for_every_command(command: click.Command, folder: str) -> None:
    """`kedro portray` and `kedro app` read `--params` as `kedro run` does."""
    typed = ["--params", f"workspace={folder},evaluation.judge_weights={folder},seed=3"]
    photos = [] if command is app else ["photo.png", "--out=portraits"]
    with command.make_context("command", [*photos, *typed]) as context:
        assert context.params["params"] == {
            "workspace": folder,
            "evaluation": {"judge_weights": folder},
            "seed": 3,
        }


def test_other_parameters_stay_numbers_and_truths() -> None:
    """Only names and paths are kept as text; `null` still means none."""
    given = typed("seed=007,resume=true,lambda_perceptual=1e-1,photos_folder=null,workspace=12")
    assert given == {
        "seed": 7,
        "resume": True,
        "lambda_perceptual": 0.1,
        "photos_folder": None,
        "workspace": "12",
    }


def test_every_text_parameter_exists() -> None:
    """The list names no parameter that the models do not have."""
    models = {
        "photos": PictureSourceParameters,
        "paintings": PictureSourceParameters,
        "training": TrainingParameters,
        "evaluation": EvaluationParameters,
    }
    for name in TEXT_PARAMETERS:
        group, dot, key = name.partition(".")
        assert not dot or key in models[group].model_fields


def test_a_number_from_a_file_is_a_folder_too() -> None:
    """`folder: 2024` in YAML is the folder 2024."""
    given: dict[str, Any] = {"source": "folder", "folder": 2024}
    assert PictureSourceParameters.model_validate(given).folder == "2024"


@pytest.mark.parametrize(
    "name",
    [
        "../../x",
        "a/b",
        "/x",
        "..",
        ".",
        ".hidden",
        "-x",
        "",
        "a b",
        "a:b",
        "a\n",
        "x" * 200,
        "con",
        "a.",
    ],
)
def test_a_workspace_is_one_plain_name(name: str) -> None:
    """Nothing lies outside of `data`, and nothing fails only at the export."""
    with pytest.raises(PortraitPipelineError, match="no plain name"):
        plain_name(name)
    with pytest.raises(Exception, match="no plain name") as caught:
        catalog(workspace=name)
    sentence = user_error(caught.value)
    assert sentence is not None
    assert "--params workspace=" in sentence


def test_plain_names_are_accepted() -> None:
    """Letters of all scripts, numbers, dots and dashes; a number from YAML is a name."""
    for name in ("sample", "mine-2", "v1.5", "портреты", "हिन्दी", 2024):
        assert plain_name(name) == str(name)
        assert f"/{name}/" in catalog(workspace=name)["splits"]["filepath"]


def test_a_model_to_portray_with_is_a_plain_name() -> None:
    """It names a file below the workspace."""
    assert catalog(portraying_model="baseline")["portraying_checkpoint"]["filepath"].endswith(
        "/baseline.pt"
    )
    with pytest.raises(Exception, match="no plain name"):
        catalog(portraying_model="../../x")


def test_the_home_is_known_everywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`~` is the home in every path that is given; an unknown user's stays as it is."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert path_from_home("~/photos") == f"{tmp_path}/photos"
    assert path_from_home("~nobody_at_all/photos") == "~nobody_at_all/photos"
    photos = catalog(pictures_folder="~/photos")["photos_to_portray"]
    assert photos["path"] == f"{tmp_path}/photos"
    numbers = catalog(pictures_folder=2024)["photos_to_portray"]
    assert numbers["path"] == "2024"


def test_options_know_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`--out=~/x` is not replaced by shells."""
    monkeypatch.setenv("HOME", str(tmp_path))

    @click.command()
    @click.option("--out", type=UserPath())
    def show(out: Path) -> None:
        click.echo(out)

    assert CliRunner().invoke(show, ["--out=~/x"]).output == f"{tmp_path}/x\n"


@pytest.mark.parametrize("text", ["photos_folder=", "photos.folder= ", "seed=${"])
def test_what_cannot_be_read_is_the_options_fault(text: str) -> None:
    """One sentence that names it; nothing empty means everything."""
    with pytest.raises(click.BadParameter, match=r"empty|cannot be read"):
        typed(text)


@pytest.mark.parametrize("option", ["pipeline", "pipelines", "env", "tags", "nodes", "from-nodes"])
def test_an_empty_option_is_refused(option: str) -> None:
    """As a variable of the shell that is not set leaves it; it would mean everything."""
    ended = CliRunner().invoke(run, [f"--{option}="])
    assert (ended.exit_code, "it is empty" in ended.output) == (2, True)
