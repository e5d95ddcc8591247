"""Environment variables that other libraries read, set before they are imported."""

import os

LOOPBACK = ("localhost", "127.0.0.1", "::1")

# MLflow's own retries wait for minutes in a row for a server that is gone; what a training could
# not send is sent later anyway.
MLFLOW_SETTINGS = {
    "MLFLOW_CONFIGURE_LOGGING": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}

# These libraries report to their makers how they are used unless they are told not to, and ONNX
# Runtime keeps an identifier of the machine for it. Read when the first session or run is opened.
REPORTING_OFF = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "KEDRO_DISABLE_TELEMETRY": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "ORT_DISABLE_TELEMETRY": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
}


def report_nothing() -> None:
    """Keep other libraries from reporting how they are used, unless the user has set it."""
    for name, value in REPORTING_OFF.items():
        os.environ.setdefault(name, value)


def prepare_environment() -> None:
    """Set what is not set: MLflow's few and short retries, and no proxy on the way to loopback."""
    for name, value in MLFLOW_SETTINGS.items():
        os.environ.setdefault(name, value)
    _reach_loopback_directly()


def _reach_loopback_directly() -> None:
    """Except this machine from the proxies: the web page and a local MLflow server are here.

    Both spellings are set, since libraries differ in which one they read first.
    """
    given = [os.environ.get(name, "") for name in ("no_proxy", "NO_PROXY")]
    hosts = dict.fromkeys(host.strip() for hosts in given for host in hosts.split(","))
    excepted = ",".join(dict.fromkeys([*filter(None, hosts), *LOOPBACK]))
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = excepted
