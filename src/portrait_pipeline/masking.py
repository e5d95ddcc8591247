"""Secrets leave no trace: what looks like one is masked in everything that is kept or shown."""

import re
from collections.abc import Mapping
from typing import Any

MASK = "***"

# Words that a setting's name holds when its value must not be repeated.
_SECRET_NAME = (
    r"(?:[\w.-]*(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|credential"
    r"|private[_-]?key|signature)[\w-]*|(?:kaggle_)?key|auth|pwd|sig)"
)
# User and password may hold quotes and brackets, which otherwise end an address within a text.
_ADDRESS = re.compile(r"\b([a-z][a-z0-9+.-]*)://((?:[^\s/?#]*@)?[^\s\"'<>|\\^`{}]+)", re.IGNORECASE)
_SETTING = re.compile(
    rf"(?<![\w.-])(?P<name>[\"']?{_SECRET_NAME}[\"']?\s*[=:]\s*)"
    r"(?P<value>\"[^\"]*\"|'[^']*'|[^\s,;&\"'{}()\[\]]+)",
    re.IGNORECASE,
)
_OPTION = re.compile(rf"(?<!\S)(?P<name>--?{_SECRET_NAME}\s+)(?P<value>[^\s-]\S*)", re.IGNORECASE)
# What a client takes for user and password where an address has no scheme: `me:password@host`.
_USER = re.compile(r"(?<![\w.@/+%-])(//)?[\w.+%-]+:[^\s/@]+@(?=[\w\[])")
_AUTHORIZATION = re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
_NAME_ALONE = re.compile(rf"(?:.*\.)?{_SECRET_NAME}", re.IGNORECASE)
_UNSET = {"none", "null", "true", "false", MASK}


def mask_secrets(text: str) -> str:
    """Mask user and password, query and fragment of every address, and named secrets.

    A name stands before `=` or `:`, or is an option of a command (`--password secret`).

    A signed address carries its signature in the query under a name of the signer's choice, so
    that all of a query is masked. What is masked once stays as it is when masked again.

    Args:
        text: Any text: an address, a command, a log line, a traceback.

    Returns:
        The text with `***` where a secret stood.
    """
    masked = _ADDRESS.sub(_mask_address, text)
    masked = _USER.sub(rf"\1{MASK}@", masked)
    masked = _OPTION.sub(rf"\g<name>{MASK}", masked)
    masked = _SETTING.sub(_mask_setting, masked)
    return _AUTHORIZATION.sub(rf"\1 {MASK}", masked)


def mask_values(value: Any, name: str = "") -> Any:
    """Mask the secrets in nested settings; a value whose name says that it is secret goes whole.

    Args:
        value: Mappings, lists and plain values, which are returned as they are where they hold no
            secret.
        name: The name of the value.
    """
    if isinstance(value, Mapping):
        return {key: mask_values(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return type(value)(mask_values(inner, name) for inner in value)
    if not isinstance(value, str) or not value:
        return value
    return MASK if _NAME_ALONE.fullmatch(name) else mask_secrets(value)


def _mask_address(found: re.Match[str]) -> str:
    scheme, rest = found.groups()
    rest, *hidden = re.split(r"(?=[?#])", rest, maxsplit=1)
    host, slash, path = rest.partition("/")
    _, at, host_alone = host.rpartition("@")
    if not at and re.search(r":(?!\d*$)", host) and "@" in path:
        # a password with an unescaped slash: the host comes after the last @
        _, at, whole = rest.rpartition("@")
        host_alone, slash, path = whole.partition("/")
    shown = f"{scheme}://{f'{MASK}@' if at else ''}{host_alone}{slash}{path}"
    return shown + (f"{hidden[0][0]}{MASK}" if hidden and hidden[0][1:] else "".join(hidden))


def _mask_setting(found: re.Match[str]) -> str:
    value = found["value"]
    quote = value[0] if value[0] in "\"'" else ""
    if value.strip("\"'").lower() in _UNSET:
        return found[0]
    return f"{found['name']}{quote}{MASK}{quote}"
