"""What can be wrong with a picture file."""

from typing import Literal

DecodingFault = Literal[
    "empty", "not an image", "HEIC", "truncated", "unreadable", "too large", "too costly"
]


class DecodingError(Exception):
    """A file that cannot be decoded.

    Args:
        fault: Why, in two words.
        detail: Why, more exactly.
    """

    def __init__(self, fault: DecodingFault, detail: str) -> None:
        super().__init__(f"{fault} ({detail})")
        self.fault: DecodingFault = fault
        self.detail = detail
