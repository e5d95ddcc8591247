"""What the terminal shows: this project's own words, and one sentence instead of a traceback."""

import logging
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import click
import yaml
from kedro.framework.project import LOGGING
from kedro.framework.startup import ProjectMetadata
from kedro.validation.exceptions import ParameterValidationError
from omegaconf.errors import OmegaConfBaseException

from portrait_pipeline.errors import PortraitPipelineError, TrainingInterruptedError
from portrait_pipeline.masking import mask_secrets
from portrait_pipeline.parameters import Parameters
from portrait_pipeline.shell import (
    IN_THE_WAY,
    OF_THE_DISK,
    exit_with,
    sentence_of_the_disk,
    show_any_character,
)
from portrait_pipeline.signals import stopping_in_order
from portrait_pipeline.suggestions import did_you_mean

LOG_FILE = "portrait_pipeline.log"

logger = logging.getLogger(__name__)


class MaskingFormatter(logging.Formatter):
    """Formats records as another formatter does, tracebacks included, without their secrets."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """Format a record and mask it."""
        return mask_secrets(self._inner.format(record))


class LogFile(RotatingFileHandler):
    """The log file; where it cannot be written, one line says so and the run goes on without."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=10 * 2**20, backupCount=3, encoding="utf-8", delay=True)
        self._has_complained = False

    def close(self) -> None:
        """Close the file; what could not be written before cannot be written now."""
        with suppress(OSError):
            super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's own name
        """Say once that there is no log file."""
        if not self._has_complained:
            self._has_complained = True
            reason = getattr(sys.exc_info()[1], "strerror", None) or sys.exc_info()[1]
            click.echo(
                f"the log file {self.baseFilename} cannot be written ({reason}); the command goes"
                " on without it",
                err=True,
            )


def configure_logging(metadata: ProjectMetadata, verbose: bool) -> None:
    """Give the terminal this project's own words; everything else goes to the log file."""
    show_any_character()
    file = metadata.project_path / "conf" / "logging.yml"
    if not file.is_file():
        return
    configuration = yaml.safe_load(file.read_text(encoding="utf-8"))
    if verbose:
        configuration["root"]["handlers"].append("verbose")
        for own in configuration["loggers"].values():
            own["handlers"] = []
    LOGGING.configure(configuration)
    logging.captureWarnings(True)
    log_file = LogFile(metadata.project_path / LOG_FILE)
    log_file.setFormatter(logging.Formatter(configuration["formatters"]["full"]["format"]))
    logging.getLogger().addHandler(log_file)
    for name in ("", *configuration["loggers"]):
        for handler in logging.getLogger(name).handlers:
            handler.setFormatter(MaskingFormatter(handler.formatter or logging.Formatter()))


def user_error(error: BaseException | None) -> str | None:
    """Return the sentence for the person at the terminal, or None for a fault of ours.

    Kedro wraps what a dataset raises, and OmegaConf, without a cause, what a resolver raises; the
    sentence is then that of the innermost. A disk that is full or not writable is one as well,
    whoever wrote to it.
    """
    meant_for_people = PortraitPipelineError, TrainingInterruptedError, ParameterValidationError
    while error is not None:
        if isinstance(error, ParameterValidationError):
            return sentence_of_validation(str(error))
        if isinstance(error, meant_for_people):
            return str(error)
        if isinstance(error, OSError) and error.errno in OF_THE_DISK | IN_THE_WAY:
            return sentence_of_the_disk(error)
        is_of_resolver = isinstance(error, OmegaConfBaseException)
        error = error.__cause__ or (error.__context__ if is_of_resolver else None)
    return None


_FAULT = re.compile(
    r"^(\S+)\n {2}(.+) \[type=\w+, input_value=(.*), input_type=\w+\]$", re.MULTILINE
)


def sentence_of_validation(report: str) -> str:
    """Turn the report of many lines on settings that do not fit their models into one sentence."""
    faults = dict.fromkeys(_fault(*found) for found in _FAULT.findall(report))
    if not faults:
        lines = [line for line in report.splitlines() if "errors.pydantic.dev" not in line]
        return " ".join(" ".join(lines).split())
    return "; ".join(faults) + " (see conf/base/parameters*.yml for what is expected)"


def _fault(name: str, complaint: str, value: str) -> str:
    if complaint == "Extra inputs are not permitted":
        fields = {field for model in Parameters.__subclasses__() for field in model.model_fields}
        meant = did_you_mean(name.rpartition(".")[2], fields)
        return f"{name} is not a setting" + (f", {meant}" if meant else "")
    return f"{name} is {value}: {complaint[0].lower()}{complaint[1:]}"


def exit_with_one_sentence(command: Callable[..., Any], verbose: bool) -> Any:
    """Call `command`; end with one sentence instead of a traceback when it fails.

    Raises:
        SystemExit: with code 1 after the sentence; the traceback is in the log file.
    """
    with stopping_in_order():
        try:
            return command()
        except KeyboardInterrupt as interruption:
            signal_name = getattr(interruption, "signal_name", "Ctrl-C")
            exit_with(f"{signal_name} stopped the command; what was saved before is kept")
        except Exception as error:
            logger.debug("the command failed", exc_info=error)
            if verbose:
                raise
            exit_with(
                user_error(error)
                or f"{type(error).__name__}: {error} (the traceback is in {LOG_FILE}, or run the"
                " command again with -v)"
            )
