"""Kedro's settings of this project."""

import logging
import os
from pathlib import Path
from typing import Any

# Before anything that warns or logs while it is imported: the terminal is for this project's words.
logging.captureWarnings(True)
os.environ.setdefault("MLFLOW_CONFIGURE_LOGGING", "false")

from portrait_pipeline.hooks.environment import EnvironmentHook  # noqa: E402
from portrait_pipeline.hooks.input_checks import InputChecks  # noqa: E402
from portrait_pipeline.hooks.progress_lines import ProgressLines  # noqa: E402
from portrait_pipeline.hooks.run_log import RunLogHook  # noqa: E402
from portrait_pipeline.hooks.tracking import TrackingHook  # noqa: E402

# What `selection`, the rule that chooses λ_p, looks at among the epochs of one training.
METRICS_OF_RULES = {
    "ssim": "validation_ssim",
    "pareto": "validation_identity_similarity",
}

PROJECT_PATH = Path(__file__).resolve().parents[2]

# kedro-mlflow's own hook is replaced by a subclass that logs typed parameters flattened.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro_mlflow",)
# The hook registered last is called first: nothing is tracked before the input is checked.
HOOKS = (ProgressLines(), RunLogHook(), TrackingHook(), InputChecks(), EnvironmentHook())

CONFIG_LOADER_ARGS: dict[str, Any] = {
    "base_env": "base",
    "default_run_env": "local",
    # conf/sample and conf/local name only what differs from conf/base
    "merge_strategy": {"parameters": "soft", "globals": "soft", "mlflow": "soft"},
    "config_patterns": {"mlflow": ["mlflow*"]},
    "custom_resolvers": {
        "project_path": lambda: str(PROJECT_PATH),
        "metric_of_rule": METRICS_OF_RULES.get,  # an unknown rule is refused where it is used
    },
}
