"""Packages that come with an extra of this one: whether they are here, and how to get them."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Literal

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.shell import exit_with

Extra = Literal["train", "app", "ray"]

MODULES: Mapping[Extra, Sequence[str]] = {
    "train": ("kedro", "kedro_datasets", "kedro_mlflow", "mlflow", "pandas", "torch"),
    "app": ("gradio", "scipy"),
    "ray": ("ray",),
}
"""Modules that tell whether an extra is installed."""


def require_extra(extra: Extra, command: str) -> None:
    """Refuse a command that needs more packages than are installed.

    Args:
        extra: What brings them.
        command: What was typed.

    Raises:
        PortraitPipelineError: if one is missing, with the command that installs it.
    """
    missing = [name for name in MODULES[extra] if find_spec(name) is None]
    if missing:
        raise PortraitPipelineError(
            f"`{command}` needs {', '.join(missing)}, expected the package with its extra"
            f" [{extra}]: run `pip install 'portrait_pipeline[{extra}]'`, or `make install` in the"
            " project's folder"
        )


def exit_without(extra: Extra, command: str) -> None:
    """End the program with one sentence where `require_extra` refuses."""
    try:
        require_extra(extra, command)
    except PortraitPipelineError as error:
        exit_with(str(error))
