"""FaceNet's real loading code against files of the right shape, and servers that misbehave."""

import hashlib
from pathlib import Path

import pytest
import torch
from support.facenet_weights import random_facenet
from support.http_server import Answer, HostileServer

from portrait_pipeline.downloads import Patience
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.identity import facenet, load_embedder
from portrait_pipeline.identity.facenet import SOURCES, WeightsSource, fetch_weights

FILE_NAME = SOURCES["vggface2"].file_name
PATIENCE = Patience(num_attempts=2, sleep=[].append)


@pytest.fixture(scope="session")
def weights() -> bytes:
    """A file shaped like the released one, with random values."""
    return random_facenet()


@pytest.fixture
def weights_file(tmp_path: Path, weights: bytes) -> Path:
    """The same on disk."""
    path = tmp_path / FILE_NAME
    path.write_bytes(weights)
    return path


def source(url: str, body: bytes | None = None) -> WeightsSource:
    """Describe where a test's weights come from, with the hash of `body`."""
    sha256 = None if body is None else hashlib.sha256(body).hexdigest()
    return WeightsSource(url, FILE_NAME, sha256)


def test_a_named_file_makes_an_embedder(weights_file: Path, noise: torch.Tensor) -> None:
    """Unit vectors of 512 under bfloat16 autocast, with gradients at the picture."""
    embedder = load_embedder("facenet", str(weights_file))
    with torch.autocast("cpu", torch.bfloat16):
        embeddings = embedder(noise)
    assert embeddings.shape == (2, 512)
    assert embeddings.dtype == torch.float32
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(2))
    embeddings[:, 0].sum().backward()
    assert noise.grad is not None
    assert noise.grad.abs().sum() > 0


def test_a_fetched_file_makes_an_embedder(
    hostile_server: HostileServer,
    tmp_path: Path,
    weights: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By its name alone the network is fetched into the cache once, and found there again."""
    url = hostile_server.serve("/weights.pt", weights)
    monkeypatch.setitem(SOURCES, "casia-webface", source(url))
    monkeypatch.setattr(facenet, "weights_folder", lambda: tmp_path)
    hashes = {load_embedder("facenet-casia-webface").network_hash for _ in range(2)}
    assert len(hashes) == 1
    assert len(hostile_server.requests) == 1


@pytest.mark.parametrize("note", ["", "\n", "0" * 63, "no hash"])
def test_a_damaged_note_of_the_hash_is_named(
    hostile_server: HostileServer, tmp_path: Path, note: str
) -> None:
    """An empty or torn note is told with what to delete; without it the file is noted again."""
    url = hostile_server.serve("/w", b"weights")
    fetch_weights(source(url), tmp_path, PATIENCE)
    known = tmp_path / f"{FILE_NAME}.sha256"
    known.write_text(note)
    with pytest.raises(PortraitPipelineError, match=r"\.sha256 is damaged.*delete it"):
        fetch_weights(source(url), tmp_path, PATIENCE)
    known.unlink()
    fetch_weights(source(url), tmp_path, PATIENCE)
    assert known.read_text().strip() == hashlib.sha256(b"weights").hexdigest()


def test_cut_off_and_resumed(hostile_server: HostileServer, tmp_path: Path, weights: bytes) -> None:
    """A transfer that breaks goes on where it stopped and is whole in the end."""
    half = len(weights) // 2
    url = hostile_server.serve("/w", Answer(weights, cut_after=half), weights)
    path = fetch_weights(source(url, weights), tmp_path, PATIENCE)
    assert path.read_bytes() == weights
    assert hostile_server.requests[1].headers["Range"] == f"bytes={half}-"


def test_a_wrong_hash_is_not_kept(hostile_server: HostileServer, tmp_path: Path) -> None:
    """Something else under the right address is thrown away, and the sentence says what to do."""
    url = hostile_server.serve("/w", b"another file")
    with pytest.raises(PortraitPipelineError, match=r"SHA-256 .* expected .*teacher=dlib"):
        fetch_weights(source(url, b"the file"), tmp_path, PATIENCE)
    assert list(tmp_path.iterdir()) == []


def test_no_network_and_no_file(hostile_server: HostileServer, tmp_path: Path) -> None:
    """One sentence: which file to put where, and which teacher needs no download."""
    url = hostile_server.serve("/w", Answer(status=503))
    with pytest.raises(PortraitPipelineError) as caught:
        fetch_weights(source(url), tmp_path, PATIENCE)
    sentence = str(caught.value)
    assert f"put {FILE_NAME} into {tmp_path}" in sentence
    assert "teacher=dlib, which needs no download" in sentence


def test_trust_on_first_use(hostile_server: HostileServer, tmp_path: Path) -> None:
    """Without a published hash that of the first transfer holds: a changed file is replaced."""
    url = hostile_server.serve("/w", b"first")
    path = fetch_weights(source(url), tmp_path, PATIENCE)
    path.write_bytes(b"tampered with")
    assert fetch_weights(source(url), tmp_path, PATIENCE).read_bytes() == b"first"
    path.unlink()
    hostile_server.serve("/w", b"another")
    with pytest.raises(PortraitPipelineError, match="SHA-256"):
        fetch_weights(source(url), tmp_path, PATIENCE)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html>not found</html>", "is no file of weights"),
        (b"", "is no file of weights"),
        (b"\x80\x02.", "is no file of weights"),
        (b"PK\x05\x06" + bytes(18), "is no file of weights"),
        ([1, 2], "holds a list"),
        ({"last_bn.weight": torch.ones(512)}, "lacks"),
        ("wrong shape", "has another shape of last_linear.weight"),
        ("no tensor", "has another shape of last_linear.weight"),
    ],
)
def test_another_file_is_refused(
    tmp_path: Path, weights_file: Path, content: object, reason: str
) -> None:
    """No file of weights, or one of another network, gives a sentence and no network."""
    path = tmp_path / "other.pt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, str):
        other = 5 if content == "no tensor" else torch.zeros(3, 3)
        state = torch.load(weights_file, weights_only=True)
        torch.save(state | {"last_linear.weight": other}, path)
    else:
        torch.save(content, path)
    with pytest.raises(PortraitPipelineError, match=reason):
        load_embedder("facenet", str(path))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A mistyped path is named, and nothing is fetched in its place."""
    with pytest.raises(PortraitPipelineError, match=r"teacher_weights=.*nowhere\.pt is not there"):
        load_embedder("facenet", str(tmp_path / "nowhere.pt"))


def test_an_unknown_name_is_refused() -> None:
    """The set of networks is closed."""
    with pytest.raises(ValueError, match="no face network named 'arcface'"):
        load_embedder("arcface")
