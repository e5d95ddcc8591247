"""Each environment says only what differs from base, and means what a reader takes it to mean.

Kedro resolves `${…}` in each environment by itself and merges afterwards. A key whose value in base
refers to a setting that the environment changes must therefore stand in the environment too.
"""

import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from kedro.config import OmegaConfigLoader
from omegaconf import DictConfig, OmegaConf
from support.environments import CONF, ENVIRONMENTS

from portrait_pipeline.settings import CONFIG_LOADER_ARGS

OVER_BASE = [env for env in ENVIRONMENTS if env != "base"]
# Every parameter that others refer to, changed; and some that stand below a group.
GIVEN: tuple[dict[str, Any], ...] = (
    {},
    {
        "seed": 7,
        "resume": True,
        "resume_from": "previous",
        "workspace": "other",
        "teacher": "faceres",
        "judge": "dlib",
        "selection": "pareto",
        "num_epochs": 11,
        "lambda_perceptual": 0.25,
        "allow_cpu": False,
        "photos_folder": "a",
        "paintings_folder": "b",
    },
    {"selection": "ssim", "training": {"seed": 3, "num_epochs": 2}, "evaluation": {"seed": 4}},
)


def parameters(conf: Path, env: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Resolve the parameters as `kedro run --env=<env> --params …` does."""
    arguments = {**CONFIG_LOADER_ARGS, "default_run_env": "base"}
    loader = OmegaConfigLoader(str(conf), env=env, runtime_params=dict(given), **arguments)
    resolved: dict[str, Any] = loader["parameters"]
    return resolved


def files_of(conf: Path, env: str) -> list[Path]:
    return sorted((conf / env).glob("parameters*.yml"))


def raw(conf: Path, env: str) -> DictConfig:
    """Read the files of an environment without resolving anything."""
    read = OmegaConf.merge(*(OmegaConf.load(file) for file in files_of(conf, env)))
    assert isinstance(read, DictConfig)
    return read


def leaves(values: DictConfig, above: str = "") -> Iterator[tuple[str, object]]:
    """Yield the name of each setting and what stands there, with its references."""
    for key, value in OmegaConf.to_container(values).items():
        if isinstance(value, dict):
            yield from leaves(OmegaConf.create(value), f"{above}{key}.")
        else:
            yield f"{above}{key}", value


@pytest.mark.parametrize("given", GIVEN, ids=["nothing", "every name", "groups"])
@pytest.mark.parametrize("env", OVER_BASE)
def test_an_environment_means_what_it_says(tmp_path: Path, env: str, given: dict[str, Any]) -> None:
    """Kedro's parameters are those of base and environment laid over each other, then resolved."""
    for part in ("base", env):
        (tmp_path / part).mkdir()
        for file in (CONF / part).glob("globals*.yml"):
            shutil.copy(file, tmp_path / part)
    laid_over = OmegaConf.merge(raw(CONF, "base"), raw(CONF, env))
    (tmp_path / "base" / "parameters.yml").write_text(OmegaConf.to_yaml(laid_over))
    assert parameters(CONF, env, given) == parameters(tmp_path, env, given)


@pytest.mark.parametrize("env", OVER_BASE)
def test_an_environment_says_only_what_differs(env: str) -> None:
    """Each line differs from base, refers to one that does, or is referred to in this folder."""
    base, own = dict(leaves(raw(CONF, "base"))), dict(leaves(raw(CONF, env)))
    changed = {name for name, value in own.items() if name not in base or base[name] != value}
    referred = {name for value in own.values() for name in references(value)}
    same = own.keys() - changed - referred
    assert not [name for name in same if not references(own[name]) & changed]


def references(value: object) -> set[str]:
    """Name the settings that a value refers to, as in `${seed}`."""
    return set(re.findall(r"\$\{(\w+)\}", str(value)))
