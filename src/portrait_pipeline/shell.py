"""What every command does at a terminal, whichever libraries it needs."""

import io
import sys
from typing import NoReturn

import click

from portrait_pipeline.file_names import printable_lines
from portrait_pipeline.masking import mask_secrets


def show_any_character() -> None:
    """Print characters that the terminal's encoding lacks as `?` instead of failing at them."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def exit_with(sentence: str, status: int = 1) -> NoReturn:
    """End the command with one sentence on standard error."""
    click.secho(f"error: {printable_lines(mask_secrets(sentence))}", err=True, fg="red")
    sys.exit(status)
