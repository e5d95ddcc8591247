"""What a person may have meant who typed a name that there is not."""

from collections.abc import Iterable
from difflib import get_close_matches

MAX_SUGGESTIONS = 3


def did_you_mean(typed: str, known: Iterable[str]) -> str:
    """Return `did you mean a or b?` for the names that look like what was typed; "" for none."""
    by_lower = {name.lower(): name for name in sorted(known)}
    close = get_close_matches(typed.lower(), by_lower, MAX_SUGGESTIONS)
    return f"did you mean {' or '.join(by_lower[name] for name in close)}?" if close else ""
