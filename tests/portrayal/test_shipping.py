"""What is shipped paints as its checkpoint does, in half the bytes, and says what it is."""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from support.tiny_model import tiny_checkpoint, tiny_export

from portrait_pipeline.cyclegan.checkpoint_files import write_checkpoint
from portrait_pipeline.cyclegan.translate import load_generator, translate
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.portrayal import shipping
from portrait_pipeline.portrayal.exported import exported_model, open_session
from portrait_pipeline.portrayal.exporting import export_model
from portrait_pipeline.portrayal.shipped import CARD, NETWORK_FILES, read_shipped
from portrait_pipeline.portrayal.shipping import About, drawn_faces, ship_model, with_half_weights

ABOUT = About("1", "a test", "no pictures", "CC0-1.0")


def test_the_folder_says_what_is_in_it(model_folder: Path) -> None:
    """Networks with their hashes, the card, and the licence of the face detector."""
    card = json.loads((model_folder / CARD).read_text(encoding="utf-8"))
    for name in NETWORK_FILES.values():
        assert (
            card["sha256"][name] == hashlib.sha256((model_folder / name).read_bytes()).hexdigest()
        )
    assert card["trained_on"] == "no pictures"
    licence = (model_folder / shipping.DETECTOR_LICENCE_FILE).read_text(encoding="utf-8")
    assert licence.startswith("MIT License")


def test_weights_take_half_and_portraits_stay() -> None:
    """float16 in the file, float32 in the arithmetic: no pixel moves by more than a few levels."""
    network = tiny_export().networks["generator"]
    halved = with_half_weights(network)
    kinds = {tensor.data_type for tensor in onnx.load_from_string(halved).graph.initializer}
    assert TensorProto.FLOAT16 in kinds
    faces = drawn_faces(3, 64)
    first, second = (
        open_session(content, 1).run(None, {"photos": faces})[0] for content in (network, halved)
    )
    assert np.abs(first.astype(int) - second).max() <= 4
    assert np.abs(first.astype(int) - second).mean() < 0.5


def test_a_weight_beyond_float16_is_refused() -> None:
    """It would become infinite."""
    weights = numpy_helper.from_array(np.full((8, 8), 1e5, dtype=np.float32), "weights")
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [8, 8]) for name in "xy"]
    node = helper.make_node("Add", ["x", "weights"], ["y"])
    graph = helper.make_graph([node], "g", values[:1], values[1:], [weights])
    opsets = [helper.make_opsetid("", 20)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    with pytest.raises(PortraitPipelineError, match="range of float16"):
        with_half_weights(model.SerializeToString())


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [("MIN_PARITY", 1.01, "SSIM"), ("MAX_FOLDER_BYTES", 1000, "fewer filters")],
)
def test_a_bad_or_large_model_is_not_shipped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, setting: str, value: float, words: str
) -> None:
    """The folder that was there stays."""
    monkeypatch.setattr(shipping, setting, value)
    monkeypatch.setattr(shipping, "export_model", lambda *_: tiny_export())
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "old").touch()
    with pytest.raises(PortraitPipelineError, match=words):
        ship_model([tiny_checkpoint()], ABOUT, tmp_path / "model")
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["old"]


def test_one_command_swaps_the_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`python -m portrait_pipeline.portrayal.shipping CHECKPOINT …`; a wrong file is a sentence."""
    monkeypatch.setattr(shipping, "export_model", lambda *_: tiny_export())
    write_checkpoint(tmp_path / "checkpoint.pt", tiny_checkpoint())
    about = ["--version", "7", "--label", "a test", "--trained-on", "no pictures"]
    out = ["--out", str(tmp_path / "model")]
    assert shipping.main([str(tmp_path / "checkpoint.pt"), *out, *about]) == 0
    assert read_shipped(tmp_path / "model").card.title == "proposed 7, 64 px (a test)"
    assert shipping.main([str(tmp_path / "nothing.pt"), *out, *about]) == 1


def test_it_knows_the_photographs_that_it_was_trained_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Their perceptual hashes come from the audit; one of another ingestion is refused."""
    monkeypatch.setattr(shipping, "export_model", lambda *_: tiny_export())
    seen = {"pictures": ["aa", "cc"], "pictures_of_persons": ["aa", "bb", "cc"]}
    write_checkpoint(tmp_path / "checkpoint.pt", {**tiny_checkpoint(), "provenance": seen})
    rows = [
        "photo,aa,0123456789012345",
        "photo,bb,1123456789012345",
        "painting,cc,2123456789012345",
    ]
    about = ["--version", "7", "--label", "a test", "--trained-on", "no pictures"]
    given = [str(tmp_path / "checkpoint.pt"), "--out", str(tmp_path / "model"), *about, "--audit"]
    audit = tmp_path / "audit.csv"
    audit.write_text("\n".join(["domain,content_hash,perceptual_hash", *rows]))
    assert shipping.main([*given, str(audit)]) == 0
    assert read_shipped(tmp_path / "model").training_photos == ("0123456789012345",)
    audit.write_text("\n".join(["domain,content_hash,perceptual_hash", rows[1]]))
    assert shipping.main([*given, str(audit)]) == 1


def test_the_portraits_of_several_trainings_are_averaged(tmp_path: Path) -> None:
    """Law: each pixel is the mean of what the models paint, in the one network that is shipped."""
    checkpoints = [tiny_checkpoint(seed=seed) for seed in (0, 1)]
    ship_model(checkpoints, ABOUT, tmp_path / "model")
    faces = drawn_faces(3, 64)
    portraits = exported_model(read_shipped(tmp_path / "model").exported).painter(faces)
    painted = [
        translate(load_generator(each, "photo_to_portrait"), faces, 3) for each in checkpoints
    ]
    assert np.abs(painted[0].astype(int) - painted[1]).max() > 8
    assert np.abs(np.mean(painted, axis=0) - portraits).max() <= 4


def test_models_of_other_crops_are_not_averaged() -> None:
    """A photo is prepared once, for all of them."""
    other = tiny_checkpoint()
    other["preparation"] = {**other["preparation"], "margin": 0.9}
    with pytest.raises(PortraitPipelineError, match="prepared in different ways"):
        export_model(tiny_checkpoint(), True, drawn_faces(1, 64), [other])


def test_models_of_other_teachers_are_not_averaged() -> None:
    """The shipped model names one teacher, by which judges are refused."""
    taught = [tiny_checkpoint(teacher=name, lambda_perceptual=1) for name in ("dlib", "facenet")]
    with pytest.raises(PortraitPipelineError, match="taught by different face networks"):
        export_model(taught[0], True, drawn_faces(1, 64), taught[1:])
