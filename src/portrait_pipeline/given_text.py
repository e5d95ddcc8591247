"""Names and paths that people give on the command line: text, whatever they look like."""

from collections.abc import Callable
from typing import Any

import click

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.file_names import MAX_NAME_BYTES, is_safe_name, user_path
from portrait_pipeline.old_names import PARAMETERS

TEXT_PARAMETERS = frozenset(
    {
        *("photos_folder", "paintings_folder", "pictures_folder"),
        *("workspace", "portraying_model", "training.teacher_weights"),
        *("evaluation.judge_weights", "evaluation.inception_weights"),
        *(
            f"{source}.{name}"
            for source in ("photos", "paintings")
            for name in ("folder", "kaggle_dataset", "archive", "archive_sha256", "met_query")
        ),
    }
)
"""Parameters whose value YAML must not take for a number, a date or a truth."""
_ROOM_FOR_MORE_BYTES = 100


def plain_name(given: object) -> str:
    """Return a name that is one part of a path and of an MLflow name.

    Raises:
        PortraitPipelineError: if it is something else, such as a path or nothing.
    """
    text = "" if given is None else str(given)
    is_long = len(text.encode("utf-8", "replace")) > MAX_NAME_BYTES - _ROOM_FOR_MORE_BYTES
    if not is_safe_name(text) or text.endswith(".") or is_long:
        raise PortraitPipelineError(
            f"{text!r} is no plain name, expected letters, digits, '.', '-' and '_' for a workspace"
            " or a model, as in --params workspace=mine"
        )
    return text


def path_from_home(given: object) -> str:
    """Return a path in which `~` is the user's home."""
    return str(user_path(str(given)))


def keep_text(
    context: click.Context,
    option: click.Parameter,
    value: Any,
    convert: Callable[[click.Context, click.Parameter, Any], dict[str, Any]],
    split: Callable[[click.Context, click.Parameter, str], list[str]],
) -> dict[str, Any]:
    """Convert `--params` as Kedro does, but leave the text of `TEXT_PARAMETERS` as it was typed.

    A folder may be called 2024, 007, 1e5 or yes. `null` stays what it is in YAML: none given.

    Args:
        context: The command.
        option: The option `--params`.
        value: What was typed.
        convert: Kedro's own conversion.
        split: Kedro's way to part the items.

    Raises:
        BadParameter: if it cannot be read, or a text is empty.
    """
    try:
        converted = convert(context, option, value)
    except click.ClickException:
        raise
    except Exception as error:  # of the parsers of YAML and OmegaConf, which have several kinds
        reason = str(error).partition("\n")[0]
        raise click.BadParameter(f"{value!r} cannot be read: {reason}", context, option) from error
    for item in split(context, option, value) if isinstance(value, str) else ():
        key, _, text = item.partition("=")
        *groups, name = key.strip().split(".")
        if _present_name(groups, name) in TEXT_PARAMETERS and text.strip() != "null":
            if not text.strip():
                what = f"{key} is empty, expected a value, or null for none"
                raise click.BadParameter(what, context, option)
            holder = converted
            for group in groups:
                holder = holder[group]
            holder[name] = text.strip()
    return converted


def _present_name(groups: list[str], name: str) -> str:
    """Return the name of today of a parameter and its group; `old_names` warns of it later."""
    present = ".".join([*(PARAMETERS.get(group, group) for group in groups), name])
    return PARAMETERS.get(present, present)
