"""Writes the command that repeats a run, as a person types it, with secrets masked."""

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

import click
import yaml

from portrait_pipeline.masking import mask_secrets

# Options of `kedro run` that take a list, by their names among the parameters of a run.
LISTS = {
    "tags": "--tags",
    "namespaces": "--namespaces",
    "node_names": "--nodes",
    "from_nodes": "--from-nodes",
    "to_nodes": "--to-nodes",
    "from_inputs": "--from-inputs",
    "to_outputs": "--to-outputs",
}
# Options that Kedro does not tell its hooks; they are found in what was typed.
TYPED_ALONE = {"conf_source": "--conf-source", "config": "--config"}


def command_of(run_params: Mapping[str, Any]) -> tuple[str, str]:
    """Return the command that starts such a run again, and the name of its pipelines."""
    params = {**run_params, **_typed()}
    names = _pipelines(params)
    words = ["kedro run"]
    if params.get("env"):
        words.append(_option("--env", params["env"]))
    if names:
        words.append(_option("--pipelines" if len(names) > 1 else "--pipeline", ",".join(names)))
    words += [
        _option(option, ",".join(map(str, params[name])))
        for name, option in LISTS.items()
        if params.get(name)
    ]
    words += _versions_and_switches(params)
    given = params.get("runtime_params") or {}
    if given:
        words.append("--params " + shlex.quote(mask_secrets(",".join(_as_typed(given)))))
    return " ".join(words), ",".join(names) or "__default__"


def _typed() -> dict[str, Any]:
    """Return what was typed for `kedro run`; nothing where a run was started from Python."""
    context = click.get_current_context(silent=True)
    if context is None or context.info_name != "run":
        return {}
    typed = {name: value for name, value in context.params.items() if value}
    told = {name: typed.get(name) for name in (*LISTS, *TYPED_ALONE)}
    kept = ("load_versions", "is_async", "runner", "runner_params", "only_missing_outputs")
    return told | {name: typed[name] for name in kept if name in typed}


def _pipelines(params: Mapping[str, Any]) -> list[str]:
    names = params.get("pipeline_names") or [params.get("pipeline_name")]
    return sorted(name for name in names if name and name != "__default__")


def _versions_and_switches(params: Mapping[str, Any]) -> list[str]:
    words = []
    versions = params.get("load_versions") or {}
    if versions:
        named = versions.items() if isinstance(versions, Mapping) else ()
        pairs = [f"{name}:{version}" for name, version in named] or list(versions)
        words.append(_option("--load-versions", ",".join(pairs)))
    runner = _runner(params.get("runner"))
    if runner != "SequentialRunner":
        words.append(_option("--runner", runner))
    if params.get("runner_params"):
        words.append(_option("--runner-params", ",".join(_as_typed(params["runner_params"]))))
    words += [
        _option(option, params[name]) for name, option in TYPED_ALONE.items() if params.get(name)
    ]
    words += ["--async"] if params.get("is_async") else []
    return words + (["--only-missing-outputs"] if params.get("only_missing_outputs") else [])


def _runner(given: object) -> str:
    """Name a runner, which Kedro hands to its hooks as the text of an object."""
    text = str(given or "SequentialRunner")
    is_object = text.startswith("<")
    return text[1:].partition(" object")[0].rpartition(".")[2] if is_object else text


def _option(name: str, value: object) -> str:
    return f"{name}={shlex.quote(mask_secrets(str(value)))}"


def _as_typed(values: Mapping[str, Any], prefix: str = "") -> Iterable[str]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _as_typed(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}={_plain(value)}"


def _plain(value: object) -> str:
    """Write a value as Kedro reads it: YAML, `null` and `true` included."""
    if isinstance(value, str):
        return value
    written: str = yaml.safe_dump(value, default_flow_style=True, width=10**6)
    return written.removesuffix("...\n").strip()
