from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from skimage.metrics import structural_similarity
from support.tiny_model import PREPARATION, SIZE_PX, tiny_checkpoint, tiny_export

import portrait_pipeline
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.faces.crop import crop_transform
from portrait_pipeline.parameters import FaceParameters
from portrait_pipeline.portrayal.exported import (
    OPSET,
    ExportedModel,
    exported_model,
    model_metadata,
    open_session,
    refuse_external_data,
)
from portrait_pipeline.portrayal.photo import Photo
from portrait_pipeline.portrayal.portrayer import FacePortrayer
from portrait_pipeline.portrayal.torch_model import checkpoint_model

NUM_PHOTOS = 24


@pytest.fixture(scope="module")
def photos(shared_pictures: Path) -> list[Photo]:
    paths = sorted((shared_pictures / "photos").glob("*.jpg"))[:NUM_PHOTOS]
    paths.append(shared_pictures / "awkward" / "multiface_group.jpg")
    return [Photo.read(path, PREPARATION["detection_size_px"]) for path in paths]


def test_portraits_agree_with_pytorch_on_real_faces(photos: list[Photo]) -> None:
    """Parity: no pixel differs by more than 1 of 255, and SSIM is at least 0.999."""
    original = FacePortrayer([checkpoint_model(tiny_checkpoint())])
    exported = FacePortrayer([exported_model(tiny_export())])
    crops = [face.photo for one in original.portray(photos, "all") for face in one.faces]
    assert len(crops) >= NUM_PHOTOS // 2
    for mine, theirs in zip(original.paint(crops), exported.paint(crops), strict=True):
        first, second = mine["proposed"], theirs["proposed"]
        assert np.abs(first.astype(int) - second).max() <= 1
        assert structural_similarity(first, second, channel_axis=2, data_range=255) >= 0.999


def test_faces_are_found_where_pytorch_finds_them(photos: list[Photo]) -> None:
    """The exported detector finds the same faces, its squares within a hundredth of a pixel."""
    preparation = FaceParameters(**PREPARATION)
    original = FacePortrayer([checkpoint_model(tiny_checkpoint())])
    exported = FacePortrayer([exported_model(tiny_export())])
    pairs = zip(original.find(photos, True), exported.find(photos, True), strict=True)
    for photo, (mine, theirs) in zip(photos, pairs, strict=True):
        assert mine.fault == theirs.fault
        assert len(mine.faces) == len(theirs.faces)
        for first, second in zip(mine.faces, theirs.faces, strict=True):
            squares = [
                vars(crop_transform(face, preparation, photo.image.size))
                for face in (first, second)
            ]
            for name, value in squares[0].items():
                assert value == pytest.approx(squares[1][name], abs=0.01)


@pytest.mark.parametrize("runtime", ["torch", "onnx"])
def test_all_faces_of_a_group_are_found(runtime: str, shared_pictures: Path) -> None:
    """A model that was trained on a search at 160 px finds all six people of a photo."""
    assert PREPARATION["detection_size_px"] == 160
    is_torch = runtime == "torch"
    model = checkpoint_model(tiny_checkpoint()) if is_torch else exported_model(tiny_export())
    portrayer = FacePortrayer([model])
    path = shared_pictures / "awkward" / "multiface_group.jpg"
    (portrayal,) = portrayer.portray([Photo.read(path, portrayer.detection_size_px)], "all")
    assert len(portrayal.faces) == 6


def test_the_size_of_a_search_is_never_below_the_trainings() -> None:
    """The larger of the two sizes counts, and the crops stay those of the training."""
    large = tiny_checkpoint()
    large["preparation"] = {**large["preparation"], "detection_size_px": 640}
    assert checkpoint_model(large).detection_size_px == 640
    assert checkpoint_model(large).preparation.detection_size_px == 640
    small = checkpoint_model(tiny_checkpoint(), detection_size_px=200)
    assert (small.detection_size_px, small.preparation.detection_size_px) == (200, 160)


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_any_batch_goes_through_one_file(batch_size: int) -> None:
    """The batch is dynamic, and a picture's portrait does not depend on its neighbours."""
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 256, (batch_size, SIZE_PX, SIZE_PX, 3), dtype=np.uint8)
    paint = exported_model(tiny_export()).painter
    together = paint(crops)
    assert together.shape == crops.shape
    assert together.dtype == np.uint8
    assert np.abs(together[-1].astype(int) - paint(crops[-1:])[0]).max() <= 1


def test_the_file_says_how_to_use_it() -> None:
    """Preparation, pixel range, size, model and opset stand in the file itself."""
    network = tiny_export().networks["generator"]
    about = model_metadata(open_session(network))
    assert FaceParameters.model_validate_json(about["preparation"]) == FaceParameters(**PREPARATION)
    assert "[0, 255]" in about["pixel_range"]
    assert about["image_size_px"] == str(SIZE_PX)
    assert about["model"] == "proposed"
    (opset,) = [o.version for o in onnx.load_from_string(network).opset_import if not o.domain]
    assert (opset, about["opset"]) == (OPSET, str(OPSET))


def test_every_file_is_valid_onnx() -> None:
    """ONNX's own checker accepts all four networks."""
    for network in tiny_export().networks.values():
        onnx.checker.check_model(onnx.load_from_string(network), full_check=True)


def test_no_file_names_a_folder_of_this_machine() -> None:
    """Whoever gets a model learns nothing of where it was exported."""
    folders = [str(Path(each.__file__).parent).encode() for each in (portrait_pipeline, torch)]
    for network in tiny_export().networks.values():
        assert not [folder for folder in folders if folder in network]


def test_a_broken_export_says_so() -> None:
    """Bytes that are no network, and a missing network, are one sentence with the command."""
    whole = tiny_export()
    with pytest.raises(PortraitPipelineError, match="pipeline=export"):
        exported_model(ExportedModel({**whole.networks, "generator": b"junk"}, whole.example))
    rest = {name: net for name, net in whole.networks.items() if name != "generator"}
    with pytest.raises(PortraitPipelineError, match="lacks generator"):
        exported_model(ExportedModel(rest, whole.example))
    swapped = {**whole.networks, "generator": whole.networks["output"]}
    with pytest.raises(PortraitPipelineError, match="how faces are prepared"):
        exported_model(ExportedModel(swapped, whole.example))


def with_external_data(network: bytes, place: str) -> bytes:
    """Let one tensor of a network lie in a file of the current folder, wherever tensors can be."""
    model = onnx.load_from_string(network)
    tensor = model.graph.initializer[0]
    values = onnx.TensorProto()
    values.CopyFrom(tensor)
    values.ClearField("raw_data")
    values.ClearField("float_data")
    values.data_location = onnx.TensorProto.EXTERNAL
    values.external_data.add(key="offset", value="0")
    values.external_data.add(key="location", value="secret.bin")
    match place:
        case "initializer":
            tensor.CopyFrom(values)
        case "constant":
            model.graph.node.append(onnx.helper.make_node("Constant", [], ["x"], value=values))
        case "subgraph":
            inner = onnx.helper.make_graph([], "inner", [], [], [values])
            node = onnx.helper.make_node("If", ["c"], [], then_branch=inner, else_branch=inner)
            model.graph.node.append(node)
        case "function":
            node = onnx.helper.make_node("Constant", [], ["x"], value=values)
            opset = [onnx.helper.make_opsetid("", 20)]
            model.functions.append(onnx.helper.make_function("own", "F", [], ["x"], [node], opset))
    return bytes(model.SerializeToString())


@pytest.mark.parametrize("place", ["initializer", "constant", "subgraph", "function"])
def test_a_network_that_reads_other_files_is_refused(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of the current folder are no weights, in whatever part of a network they are named."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.bin").write_bytes(bytes(10_000_000))
    export = tiny_export()
    for name in export.networks:
        forged = with_external_data(export.networks[name], place)
        with pytest.raises(PortraitPipelineError, match=r"external data.*--pipeline=export"):
            exported_model(ExportedModel({**export.networks, name: forged}, export.example))


@pytest.mark.parametrize("length", [b"\x08", b"\x88\x00", b"\x88\x80\x80\x00"])
@pytest.mark.parametrize("tag", [b"\x0a", b"\x8a\x00", b"\x8a\x80\x00"])
def test_a_padded_name_of_a_file_is_found_too(tag: bytes, length: bytes) -> None:
    """Protocol buffers may write small numbers with more bytes than needed."""
    entry = onnx.StringStringEntryProto()
    entry.ParseFromString(tag + length + b"location")
    assert entry.key == "location"
    with pytest.raises(PortraitPipelineError, match="external data"):
        refuse_external_data(b"before" + tag + length + b"location" + b"after")


def test_only_onnx_is_read(tmp_path: Path) -> None:
    """ONNX Runtime's own format, which other files can belong to as well, is not taken."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "proposer.ort")
    options.add_session_config_entry("session.save_model_format", "ORT")
    network = tiny_export().networks["proposer"]
    onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    own = (tmp_path / "proposer.ort").read_bytes()
    assert own[4:8] == b"ORTM"
    with pytest.raises(PortraitPipelineError, match="cannot be read"):
        open_session(own)
