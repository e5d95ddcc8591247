"""How numbers, intervals and durations are written on the page."""

import math

from portrait_pipeline.report.measures import Unit

MINUS = "\u2212"
THIN_SPACE = "\u202f"
_SCALES: dict[Unit, float] = {"plain": 1.0, "percent": 100.0, "decibel": 1.0}
_LEAST_DECIMALS: dict[Unit, int] = {"plain": 2, "percent": 0, "decibel": 1}


def write_number(value: float, decimals: int) -> str:
    """Write a number with a true minus sign and without a negative zero."""
    text = f"{value:.{decimals}f}"
    if float(text) == 0.0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def interval_decimals(value: float, low: float, high: float, unit: Unit) -> int:
    """Choose the decimals of an interval: as many as tell its ends well apart."""
    scale, least = _SCALES[unit], _LEAST_DECIMALS[unit]
    if unit == "plain" and abs(value) >= 10:
        least = 1
    width = scale * (high - low)
    if not math.isfinite(width) or width <= 0:
        return least
    return min(max(math.ceil(-math.log10(width / 2)), least), 5)


def write_measurement(
    value: float, low: float, high: float, unit: Unit, decimals: int | None = None
) -> tuple[str, str]:
    """Write a value and its interval, such as ("0.412", "[0.39, 0.43]").

    Args:
        value: The number, a share in [0, 1] where the unit is `percent`.
        low: Lower end of its interval, or NaN.
        high: Upper end of its interval, or NaN.
        unit: How it is written.
        decimals: Decimals of the interval, where neighbours should have the same.

    Returns:
        The value, and the interval or an empty string where no interval is known.
    """
    ends = interval_decimals(value, low, high, unit) if decimals is None else decimals
    scale = _SCALES[unit]
    match unit:
        case "percent":
            text = f"{write_number(scale * value, ends)}{THIN_SPACE}%"
        case "decibel":
            text = f"{write_number(value, ends)}{THIN_SPACE}dB"
        case "plain":
            text = write_number(value, ends + 1)
    if not math.isfinite(high - low):
        return text, ""
    return text, f"[{write_number(scale * low, ends)}, {write_number(scale * high, ends)}]"


def write_count(count: int) -> str:
    """Write a count with thin spaces between the thousands."""
    return f"{count:,}".replace(",", THIN_SPACE)


def write_lambda(value: float) -> str:
    """Write a weight such as λ_p: `0.5`, `5`, or a dash where there is none."""
    return f"{value:.3g}" if math.isfinite(value) else "–"


def write_share(share: float) -> str:
    """Write a share in [0, 1] as a percentage with two significant digits."""
    percent = 100.0 * share
    decimals = 0 if percent >= 10 else 1 if percent >= 1 else 2 if percent >= 0.1 else 3
    return f"{write_number(percent, decimals)}{THIN_SPACE}%"


def write_duration(seconds: float) -> str:
    """Write a duration in the two largest units that matter: `1 h 12 min`, `3 min 5 s`, `4.2 s`."""
    if not math.isfinite(seconds):
        return "not measured: no time was kept"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} days {hours % 24} h"


def within_a_sentence(label: str) -> str:
    """Begin a label in lower case, unless it is an abbreviation such as SSIM."""
    is_abbreviation = label[1:2].isupper()
    return label if is_abbreviation else label[:1].lower() + label[1:]
