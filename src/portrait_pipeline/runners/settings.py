"""The settings of a cluster: where it is, and what the nodes ask of its hosts."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from portrait_pipeline.errors import PortraitPipelineError

PARAMETERS = "params:cluster"
"""The dataset with these settings in the catalog of a project."""
GIB = 2**30


class Resources(BaseModel):
    """What one node takes of its host while it runs; fractions share a core or a card.

    Attributes:
        num_cpus: Cores, [0, …).
        num_gpus: GPUs, [0, …); 0.25 lets four nodes share one.
        memory_gb: Main memory in GiB, by which Ray counts what a host has left.
        custom: Resources that hosts were started with, by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    num_cpus: float = Field(1.0, ge=0.0)
    num_gpus: float = Field(0.0, ge=0.0)
    memory_gb: float = Field(0.0, ge=0.0)
    custom: dict[str, float] = Field(default_factory=dict)

    def options(self) -> dict[str, Any]:
        """Return the options of a Ray task."""
        asked: dict[str, Any] = {"num_cpus": self.num_cpus, "num_gpus": self.num_gpus}
        if self.memory_gb:
            asked["memory"] = int(self.memory_gb * GIB)
        return {**asked, "resources": self.custom} if self.custom else asked

    def needed(self) -> dict[str, float]:
        """Return what is asked for in the names under which Ray lists what a host has."""
        asked = {"CPU": self.num_cpus, "GPU": self.num_gpus, "memory": self.memory_gb * GIB}
        return {name: amount for name, amount in {**asked, **self.custom}.items() if amount}

    def described(self) -> str:
        """Return what is asked for in the names of the settings."""
        given = self.model_dump(exclude_defaults=True) or {"num_cpus": self.num_cpus}
        custom = given.pop("custom", {})
        return ", ".join(f"{name}: {amount:g}" for name, amount in {**given, **custom}.items())


class ClusterParameters(BaseModel):
    """Where the cluster is and how the nodes use it.

    Attributes:
        address: `HOST:PORT` of the head; None: a Ray of its own on this machine.
        threads: Threads of PyTorch and its like in each node; None: as many as here.
        resources: What nodes with a tag ask for; a node with several tags asks for the most.
        max_moves: How often a node goes to another host when its own is lost.
        patience_minutes: How long a node waits for a host that has what it asks for, after the
            last such host has left the cluster.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: str | None = None
    threads: int | None = Field(None, ge=1)
    resources: dict[str, Resources] = Field(default_factory=dict)
    max_moves: int = Field(3, ge=0)
    patience_minutes: float = Field(10.0, ge=0.0)

    def resources_of(self, tags: Iterable[str]) -> Resources:
        """Return what a node, or several that run together, ask for: of everything the most."""
        asked = [self.resources[tag] for tag in sorted(tags) if tag in self.resources]
        if not asked:
            return Resources()
        names = sorted({name for each in asked for name in each.custom})
        return Resources(
            num_cpus=max(each.num_cpus for each in asked),
            num_gpus=max(each.num_gpus for each in asked),
            memory_gb=max(each.memory_gb for each in asked),
            custom={name: max(each.custom.get(name, 0.0) for each in asked) for name in names},
        )


def read_settings(given: object, typed: Mapping[str, Any]) -> ClusterParameters:
    """Read the settings of the configuration, and over them those of `--runner-params`.

    Raises:
        PortraitPipelineError: naming the setting that is unknown or impossible.
    """
    configured = given if isinstance(given, Mapping) else {}
    try:
        return ClusterParameters.model_validate({**configured, **typed})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(("cluster", *(str(part) for part in first["loc"])))
        raise PortraitPipelineError(
            f"{place} is {first['input']!r}: {first['msg']} (see conf/base/parameters_cluster.yml)"
        ) from error
