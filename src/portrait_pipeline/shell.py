"""What every command does at a terminal, whichever libraries it needs."""

import errno
import io
import os
import sys
import textwrap
from typing import NoReturn

import click

from portrait_pipeline.file_names import printable_lines
from portrait_pipeline.masking import mask_secrets

LINE_WIDTH = 80

OF_THE_DISK = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}
)
IN_THE_WAY = frozenset({errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG})


def show_any_character() -> None:
    """Print characters that the terminal's encoding lacks as `?` instead of failing at them."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def say(text: str, err: bool = False) -> None:
    """Print a line; where nobody reads any more, or the disk is full, the command goes on."""
    try:
        click.echo(text, err=err)
    except OSError:
        stream = sys.stderr if err else sys.stdout
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def sentence_of_the_disk(error: OSError) -> str:
    """Say which file cannot be used, why, and what helps."""
    if error.errno in IN_THE_WAY:
        remedy = (
            "move away what lies there instead of a file or folder, or a link that leads nowhere,"
        )
    elif error.errno in OF_THE_DISK:
        remedy = "free space on its disk, or allow access to it,"
    else:
        remedy = "name another"
    return (
        f"{error.filename or 'a file'} cannot be used ({error.strerror or error}): {remedy} and run"
        " the command again; what was saved is kept"
    )


def exit_with(sentence: str, status: int = 1) -> NoReturn:
    """End the command with one sentence on standard error."""
    shown = f"error: {printable_lines(mask_secrets(sentence))}"
    click.secho(fold(shown) if sys.stderr.isatty() else shown, err=True, fg="red")
    sys.exit(status)


def fold(text: str, width: int = LINE_WIDTH) -> str:
    """Break lines that are longer than a terminal between words; a path stays whole.

    What follows of a line is indented by as much as the line, and two more.
    """
    return "\n".join(_folded(line, width) for line in text.split("\n"))


def _folded(line: str, width: int) -> str:
    if len(line) <= width:
        return line
    indent = " " * (len(line) - len(line.lstrip()))
    wrapper = textwrap.TextWrapper(
        width, subsequent_indent=f"{indent}  ", break_long_words=False, break_on_hyphens=False
    )
    return wrapper.fill(line)
