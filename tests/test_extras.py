"""What comes with an extra is asked for with the command that installs it."""

import tomllib
from pathlib import Path
from typing import get_args

import pytest
from support.base_site import run_with_base

from portrait_pipeline import extras
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.extras import MODULES, Extra, require_extra

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("extra", get_args(Extra))
def test_a_missing_extra_names_its_command(monkeypatch: pytest.MonkeyPatch, extra: Extra) -> None:
    """The modules that are missing, and `pip install` with the extra."""
    monkeypatch.setattr(extras, "find_spec", lambda _: None)
    with pytest.raises(PortraitPipelineError, match=rf"`it` needs .*portrait_pipeline\[{extra}\]"):
        require_extra(extra, "it")


def test_the_extras_are_those_of_the_package() -> None:
    """Each module belongs to a distribution that the extra in pyproject.toml names."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    offered = settings["project"]["optional-dependencies"]
    for extra, modules in MODULES.items():
        text = " ".join(offered[extra]).replace("-", "_")
        assert all(module in text for module in modules), extra


@pytest.mark.parametrize("module", ["portrait_pipeline", "portrait_pipeline.cli"])
def test_without_the_pipelines_packages_one_sentence_is_said(tmp_path: Path, module: str) -> None:
    """`python -m portrait_pipeline`, and `kedro`, which loads the project's commands."""
    code = f"import runpy; runpy.run_module({module!r}, run_name='__main__')"
    done = run_with_base(code, folder=tmp_path)
    assert done.returncode == 1
    assert "portrait_pipeline[train]" in done.stderr
    assert "Traceback" not in done.stderr
