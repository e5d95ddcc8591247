"""Options that several commands take."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from portrait_pipeline.file_names import user_path
from portrait_pipeline.parameters import MAX_PORTRAIT_PX, MIN_PORTRAIT_PX

DEFAULT_PORT = 7860

Command = Callable[..., Any]


class UserPath(click.Path):
    """A path in which `~` is the user's home, also after `--out=`, where no shell replaces it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path."""
        return user_path(os.fsdecode(super().convert(value, param, ctx)))


ADDRESS_OPTIONS = (
    click.option(
        "--host",
        default="127.0.0.1",
        show_default=True,
        help="Address to listen at; 0.0.0.0 opens the page to your network (see docs/security.md).",
    ),
    click.option("--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(1, 65535)),
    click.option(
        "--allow-host",
        "allowed_hosts",
        multiple=True,
        metavar="NAME",
        help="A further name under which the page may be called, such as that of a proxy;"
        " repeatable.",
    ),
)
"""Where the page listens."""


SIZE_OPTION = click.option(
    "--size",
    "size_px",
    type=click.IntRange(MIN_PORTRAIT_PX, MAX_PORTRAIT_PX),
    help="Edge of a portrait in pixels; by default that of the face in its photo, at most"
    f" {MAX_PORTRAIT_PX}.",
)
"""How large a portrait is written."""


def takes(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Give a command several options, in their order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
