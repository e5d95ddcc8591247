"""Types of parameters that several models have: what is allowed, and what is made of it."""

from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from portrait_pipeline.file_names import user_path

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
"""As large as PyTorch's generators take it."""
WeightsFile = Annotated[
    str,
    BeforeValidator(lambda given: str(given) if isinstance(given, int | float) else given),
    AfterValidator(lambda text: str(user_path(text))),
]
"""A path, in which `~` is the user's home; a file may be called 2024."""


def refuse_truth(given: object, annotation: object) -> None:
    """Refuse `true` and `false` where a type does not name them: Pydantic takes them for 1 and 0.

    Args:
        given: A value, or a list of values, for a field.
        annotation: The type of the field.

    Raises:
        PydanticCustomError: naming what is expected.
    """
    parts = given if isinstance(given, list | tuple) else [given]
    if any(isinstance(part, bool) for part in parts) and not _names_truth(annotation):
        raise PydanticCustomError("truth", "expected a number or a word, not true or false")


def _names_truth(annotation: object) -> bool:
    return annotation in (bool, Any) or any(map(_names_truth, get_args(annotation)))
