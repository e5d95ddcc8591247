"""A model is judged on pictures and people alone that are new to it."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from support.in_memory import noise_faces
from support.tiny_model import PREPARATION, SIZE_PX, TRAINING, tiny_checkpoint

from portrait_pipeline.cyclegan.data import TrainingData, data_hash
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.parameters import FaceParameters, TrainingParameters
from portrait_pipeline.scoring import provenance
from portrait_pipeline.scoring.provenance import (
    check_unseen,
    describe_provenance,
    hash_sources,
    is_same_training,
    with_provenance,
)

FACES = FaceParameters(**PREPARATION)
COLUMNS = ["name", "domain", "split", "content_hash", "person"]
TRAINED_ON = pd.DataFrame(
    [
        ("a", "photo", "train", "a", 0),
        ("b", "photo", "train", "b", 1),
        ("p", "painting", "train", "p", -1),
        ("c", "photo", "test", "c", 2),
        ("q", "painting", "test", "q", -1),
    ],
    columns=COLUMNS,
)


def checkpoint(splits: pd.DataFrame = TRAINED_ON) -> dict[str, Any]:
    return with_provenance(tiny_checkpoint("light"), describe_provenance(splits, FACES))


def changed(picture: str, **values: Any) -> pd.DataFrame:
    table = TRAINED_ON.copy()
    table.loc[table["name"] == picture, list(values)] = list(values.values())
    return table


def test_new_pictures_of_new_people_pass(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is refused, and nothing is said."""
    check_unseen(checkpoint(), TRAINED_ON, "test")
    assert not caplog.messages


SEEN = {
    "a training photo": changed("c", content_hash="a"),
    "a training photo under another name": changed("c", name="new", content_hash="b"),
    "a training painting": changed("q", content_hash="p"),
    "another photo of a person trained on": changed("c", person=0),
}


@pytest.mark.parametrize("name", SEEN)
def test_what_was_trained_on_is_refused(name: str) -> None:
    """By content, whatever the file is called, and by person."""
    with pytest.raises(PortraitPipelineError, match="light was trained on 1 of the test pictures"):
        check_unseen(checkpoint(), SEEN[name], "test")


def test_a_person_whom_the_training_knew_by_another_picture_is_refused() -> None:
    """The checkpoint keeps all pictures of its people, so that a lone one is known again."""
    at_training = changed("c", person=1, split="validation")
    now = changed("c", person=-1)
    with pytest.raises(PortraitPipelineError, match="light was trained on"):
        check_unseen(checkpoint(at_training), now, "test")


@pytest.mark.parametrize(
    ("said", "splits"),
    [
        (tiny_checkpoint("light"), TRAINED_ON),
        (checkpoint(TRAINED_ON[["name", "domain", "split"]]), TRAINED_ON),
        (checkpoint(), TRAINED_ON[["name", "domain", "split"]]),
    ],
    ids=["an old checkpoint", "old splits at training", "old splits now"],
)
def test_who_does_not_say_is_let_pass_with_a_warning(
    said: dict[str, Any], splits: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    """One line that names the model, and no refusal."""
    check_unseen(said, splits, "test")
    assert len(caplog.messages) == 1
    assert "light does not say which pictures it was trained on" in caplog.messages[0]


def test_the_hash_of_the_code_follows_the_code(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """Any changed, added or renamed file of what trains is another hash; others are not."""
    (tmp_path / "efficientnet_lite.py").write_text("1", encoding="utf-8")
    for package in ("cyclegan", "identity", "faces", "report"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "a.py").write_text("1", encoding="utf-8")
    monkeypatch.setattr(provenance.portrait_pipeline, "__file__", str(tmp_path / "__init__.py"))
    hashes = [hash_sources()]
    (tmp_path / "report" / "a.py").write_text("2", encoding="utf-8")
    (tmp_path / "faces" / "__pycache__").mkdir()
    (tmp_path / "faces" / "__pycache__" / "a.pyc").write_text("2", encoding="utf-8")
    assert hash_sources() == hashes[0]
    (tmp_path / "faces" / "a.py").write_text("2", encoding="utf-8")
    hashes.append(hash_sources())
    (tmp_path / "identity" / "b.json").write_text("2", encoding="utf-8")
    hashes.append(hash_sources())
    (tmp_path / "cyclegan" / "a.py").rename(tmp_path / "cyclegan" / "c.py")
    hashes.append(hash_sources())
    (tmp_path / "efficientnet_lite.py").write_text("2", encoding="utf-8")
    hashes.append(hash_sources())
    assert len(set(hashes)) == 5


SETTINGS = TrainingParameters(**TRAINING)
CROPS = TrainingData(noise_faces(3, 1, SIZE_PX), noise_faces(3, 2, SIZE_PX))
ORIGIN = describe_provenance(TRAINED_ON, FACES)
SAVED = with_provenance(
    {
        "model": "light",
        "parameters": SETTINGS.model_dump(),
        "preparation": PREPARATION | {"fit_in_picture": False},
        "data_hash": data_hash(CROPS),
    },
    ORIGIN,
)
OTHER: dict[str, dict[str, Any]] = {
    "nothing was saved": {"state": None},
    "it does not say": {"state": {**SAVED, "provenance": None}},
    "model": {"model": "dark"},
    "photos": {"data": TrainingData(noise_faces(3, 5, SIZE_PX), CROPS.paintings)},
    "paintings": {"data": TrainingData(CROPS.photos, noise_faces(3, 5, SIZE_PX))},
    "settings": {"settings": SETTINGS.model_copy(update={"lambda_cycle": 9.0})},
    "seed": {"settings": SETTINGS.model_copy(update={"seed": 1})},
    "fewer pairs": {"settings": SETTINGS.model_copy(update={"num_training_pairs": 2})},
    "sources": {"provenance": replace(ORIGIN, source_hash="0" * 64)},
    "preparation": {
        "provenance": replace(ORIGIN, preparation=FACES.model_copy(update={"margin": 0.5}))
    },
}


@pytest.mark.parametrize("what", OTHER)
def test_another_training_is_never_taken_for_this_one(what: str) -> None:
    """Law: one difference in what decides the weights, and what was saved is not reused."""
    same = {
        "state": SAVED, "model": "light", "data": CROPS, "settings": SETTINGS, "provenance": ORIGIN
    }  # fmt: skip
    assert is_same_training(**same)
    assert is_same_training(
        **{**same, "settings": SETTINGS.model_copy(update={"save_every_steps": 1, "reuse": True})}
    )
    assert not is_same_training(**{**same, **OTHER[what]})
