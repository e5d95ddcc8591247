"""What is refused before a cluster is used."""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kedro.pipeline import Node

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.runners import cluster
from portrait_pipeline.runners.cluster import (
    Host,
    import_ray,
    open_cluster,
    refuse_impossible,
    with_gpus_found,
)
from portrait_pipeline.runners.grouping import Group
from portrait_pipeline.runners.settings import GIB, ClusterParameters, Resources

OWN_RAY = """
from portrait_pipeline.runners.cluster import living_hosts, open_cluster
from portrait_pipeline.runners.settings import ClusterParameters
with open_cluster(ClusterParameters()) as ray:
    print(len(living_hosts(ray)), "host")
"""
SMALL = Host("1", "host-a", {"CPU": 2.0, "memory": 4.0 * GIB})
WITH_GPU = Host("2", "host-b", {"CPU": 8.0, "GPU": 1.0, "memory": 32.0 * GIB, "fast_disk": 1.0})


def _group(*tags: str) -> Group:
    node = Node(func=abs, inputs="a", outputs="b", name="train", tags=tags)
    return Group((node,), frozenset())


@pytest.mark.parametrize(
    "asked",
    [
        Resources(num_gpus=2),
        Resources(num_cpus=9),
        Resources(memory_gb=33),
        Resources(custom={"fast_disk": 2}),
        Resources(custom={"slow_disk": 1}),
    ],
)
def test_what_no_host_has_is_refused(asked: Resources) -> None:
    """The node, what it asks for, the tag, and what each host has are named."""
    settings = ClusterParameters(resources={"gpu": asked})
    with pytest.raises(PortraitPipelineError) as caught:
        refuse_impossible([_group(), _group("gpu")], settings, [SMALL, WITH_GPU])
    sentence = str(caught.value)
    assert sentence.startswith(f"train asks for {asked.described()}, which no host has")
    assert "host-a: 2 cores, 0 GPUs, 4.0 GiB; host-b: 8 cores, 1 GPUs" in sentence
    assert "tagged gpu" in sentence


def test_what_one_host_has_is_enough() -> None:
    """Fractions and resources of a name of their own included."""
    asked = Resources(num_gpus=0.25, num_cpus=8, memory_gb=32, custom={"fast_disk": 1})
    settings = ClusterParameters(resources={"gpu": asked})
    refuse_impossible([_group("gpu"), _group()], settings, [SMALL, WITH_GPU])


def test_a_gpu_is_taken_where_there_is_one() -> None:
    """Only if the settings do not say otherwise."""
    settings = ClusterParameters()
    assert with_gpus_found(settings, [SMALL]) == settings
    assert with_gpus_found(settings, [SMALL, WITH_GPU]).resources_of({"gpu"}).num_gpus == 1.0
    shared = ClusterParameters(resources={"gpu": Resources(num_gpus=0.25)})
    assert with_gpus_found(shared, [WITH_GPU]) == shared


def test_without_ray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence with the command."""
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(
        PortraitPipelineError, match=r"not installed: run `pip install -e '\.\[train,ray\]"
    ):
        import_ray()


def test_a_ray_of_this_machine_starts_and_ends(tmp_path: Path) -> None:
    """Law: without an address, in a process in which Ray was never used; it says nothing."""
    pytest.importorskip("ray", reason="Ray is not installed: pip install -e '.[train,ray]'")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
    done = subprocess.run(
        [sys.executable, "-c", OWN_RAY],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "1 host"  # below what Kedro says of its logging
    assert "RAY_AUTH_MODE" not in done.stdout + done.stderr


@pytest.mark.parametrize("address", ["auto", "head", "ray://head:10001:", "head:port", ":6379"])
def test_a_malformed_address_is_refused(address: str) -> None:
    """The value and what is expected."""
    pytest.importorskip("ray", reason="Ray is not installed: pip install -e '.[train,ray]'")
    refused = open_cluster(ClusterParameters(address=address))
    with pytest.raises(PortraitPipelineError, match=r"cluster.address is .*expected HOST:PORT"):
        refused.__enter__()


def test_an_address_that_does_not_answer_is_refused() -> None:
    """At once, with the command that starts a head."""
    pytest.importorskip("ray", reason="Ray is not installed: pip install -e '.[train,ray]'")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    refused = open_cluster(ClusterParameters(address=f"127.0.0.1:{port}"))
    with pytest.raises(PortraitPipelineError, match=f"nothing answers.*--port={port}"):
        refused.__enter__()


@pytest.mark.parametrize(
    ("address", "reason", "sentence"),
    [
        (
            "head:1",
            "Version mismatch: Ray: 2.9 Python: 3.10",
            r"head:1 runs another version .*3\.10",
        ),
        ("head:1", "Could not\nread 'session_name'", r"reached at head:1 \(Could not read .*start"),
        (None, "The current node timed out", r"started on this machine \(The current .*other pro"),
    ],
)
def test_why_ray_does_not_connect_is_said(address: str | None, reason: str, sentence: str) -> None:
    """Law: one sentence with the address, what Ray says, and what to do."""

    def init(*_: Any, **__: Any) -> None:
        raise RuntimeError(reason)

    with pytest.raises(PortraitPipelineError, match=sentence) as caught:
        cluster._connect(SimpleNamespace(init=init), address)
    assert "\n" not in str(caught.value)


def test_a_long_wait_for_ray_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Law: what listens at the address may not be Ray, which takes Ray minutes to find out."""
    monkeypatch.setattr(cluster, "SECONDS_TO_ANSWER", 0.0)
    is_said, said = threading.Event(), []

    def say(*words: str) -> None:
        said.append(words[0] % words[1:])
        is_said.set()

    monkeypatch.setattr(cluster.logger, "info", say)
    ray = SimpleNamespace(init=lambda *_, **__: is_said.wait(60.0))
    cluster._connect(ray, "head:6379")
    assert said == ["waiting for Ray at head:6379 to answer"]


@pytest.mark.parametrize("patience", [0.0, 60.0])
def test_a_slow_start_is_waited_for(monkeypatch: pytest.MonkeyPatch, patience: float) -> None:
    """Law: a host that starts on a busy machine is asked for again, and in the end given up."""
    monkeypatch.setattr(cluster, "SECONDS_TO_START", patience)
    monkeypatch.setattr(cluster, "SECONDS_BETWEEN_QUESTIONS", 0.0)
    answers = iter([RuntimeError("not there"), RuntimeError("not there"), "host"])

    def get_node(*_: Any) -> object:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    if patience:
        assert cluster._patient(get_node)("address", "id") == "host"
    else:
        with pytest.raises(RuntimeError, match="not there"):
            cluster._patient(get_node)("address", "id")
