"""What the terminal shows: this project's own words, and one sentence instead of a traceback."""

import logging
import re
import sys
from collections.abc import Callable
from typing import Any

import click
import yaml
from kedro.framework.project import LOGGING
from kedro.framework.startup import ProjectMetadata
from kedro.validation.exceptions import ParameterValidationError

from portrait_pipeline.errors import PortraitPipelineError, TrainingInterruptedError
from portrait_pipeline.file_names import printable_lines

LOG_FILE = "portrait_pipeline.log"

logger = logging.getLogger(__name__)


def configure_logging(metadata: ProjectMetadata, verbose: bool) -> None:
    """Give the terminal this project's own words; everything else goes to the log file."""
    text = (metadata.project_path / "conf" / "logging.yml").read_text(encoding="utf-8")
    configuration = yaml.safe_load(text)
    configuration["handlers"]["file"]["filename"] = str(metadata.project_path / LOG_FILE)
    if verbose:
        configuration["root"]["handlers"].append("verbose")
        for own in configuration["loggers"].values():
            own["handlers"] = []
    LOGGING.configure(configuration)
    logging.captureWarnings(True)


def user_error(error: BaseException | None) -> str | None:
    """Return the sentence for the person at the terminal, or None for a fault of ours.

    Kedro wraps what a dataset raises; the sentence is then that of the cause.
    """
    meant_for_people = PortraitPipelineError, TrainingInterruptedError, ParameterValidationError
    while error is not None:
        if isinstance(error, ParameterValidationError):
            return sentence_of_validation(str(error))
        if isinstance(error, meant_for_people):
            return str(error)
        error = error.__cause__
    return None


_FAULT = re.compile(
    r"^(\S+)\n {2}(.+) \[type=\w+, input_value=(.*), input_type=\w+\]$", re.MULTILINE
)


def sentence_of_validation(report: str) -> str:
    """Turn the report of many lines on settings that do not fit their models into one sentence."""
    faults = dict.fromkeys(
        f"{name} is {value}: {complaint[0].lower()}{complaint[1:]}"
        for name, complaint, value in _FAULT.findall(report)
    )
    if not faults:
        return " ".join(report.split())
    return "; ".join(faults) + " (see conf/base/parameters*.yml for what is expected)"


def exit_with_one_sentence(command: Callable[..., Any], verbose: bool) -> Any:
    """Call `command`; end with one sentence instead of a traceback when it fails.

    Raises:
        SystemExit: with code 1 after the sentence; the traceback is in the log file.
    """
    try:
        return command()
    except Exception as error:
        logger.debug("the command failed", exc_info=error)
        if verbose:
            raise
        sentence = user_error(error)
        if sentence is None:
            sentence = (
                f"{type(error).__name__}: {error} (the whole story is in {LOG_FILE}, or run the"
                " command again with -v)"
            )
        click.secho(f"error: {printable_lines(sentence)}", err=True, fg="red")
        sys.exit(1)
