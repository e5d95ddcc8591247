"""Remembers the environment of a run, which Kedro does not pass to the pipeline registry."""

from pathlib import Path
from typing import Any, ClassVar

from kedro.config import OmegaConfigLoader
from kedro.framework.project import pipelines

from portrait_pipeline.hooks.store import register_resolvers

REGISTRY = "portrait_pipeline.pipeline_registry"


class ProjectConfigLoader(OmegaConfigLoader):
    """Reads the configuration, and keeps the latest one for the registry to read the models from.

    Every session makes one, that of Kedro-Viz too, which calls no hook.

    Attributes:
        latest: That of the latest session; None where none was made, as by `kedro registry list`.
    """

    latest: ClassVar[OmegaConfigLoader | None] = None

    def __init__(self, conf_source: str | Path, *args: Any, **settings: Any) -> None:
        """Read from `conf_source`; pipelines that were read with another one are read again."""
        register_resolvers(Path(conf_source).resolve().parent)
        super().__init__(conf_source, *args, **settings)
        ProjectConfigLoader.latest = self
        pipelines.configure(REGISTRY)
