"""Which pictures are shown, and how."""

import base64
import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from portrait_pipeline.pipelines.reporting.nodes import draw_figure_1, ranking_of
from portrait_pipeline.report.pictures import (
    CELL_PX,
    GAP_PX,
    MARGIN_PX,
    draw_picture_table,
    order_by_person_kept,
    spread_evenly,
    to_data_uri,
)


def scores(**columns: list[float]) -> pd.DataFrame:
    """Make scores of the pictures a, b, c and so on."""
    count = len(next(iter(columns.values())))
    return pd.DataFrame({"name": list("abcdefgh"[:count]), **columns})


def test_the_judge_sorts_best_first() -> None:
    """The highest similarity comes first, and a picture without a number last."""
    table = scores(judge_similarity=[0.1, np.nan, 0.9], landmark_error=[0.0, 0.1, 0.2])
    assert order_by_person_kept(table)[0] == ["c", "a", "b"]


def test_landmarks_sort_where_the_judge_has_no_embedding() -> None:
    """The smallest landmark error comes first; with nothing measured, the name decides."""
    table = scores(judge_similarity=[np.nan] * 3, landmark_error=[0.3, 0.1, 0.2])
    assert order_by_person_kept(table)[:2] == (["b", "c", "a"], "landmark_error")
    nothing = scores(judge_similarity=[np.nan] * 3)
    assert order_by_person_kept(nothing)[:2] == (["a", "b", "c"], "name")


@pytest.mark.parametrize("count", [6, 7, 40, 1001])
def test_the_ends_are_always_shown(count: int) -> None:
    """Six different names, the first and the last among them, in order, at even distances."""
    names = [f"{index:04d}" for index in range(count)]
    shown = spread_evenly(names, 6)
    assert (shown[0], shown[-1], len(set(shown))) == (names[0], names[-1], 6)
    gaps = np.diff([int(name) for name in shown])
    assert gaps.min() > 0
    assert gaps.max() - gaps.min() <= 1


def test_fewer_names_than_asked_are_all_shown() -> None:
    """Three pictures fill three rows."""
    assert spread_evenly(["a", "b", "c"], 6) == ["a", "b", "c"]


def test_figure_1_has_six_rows_and_the_twin_where_there_is_one(inputs: Any) -> None:
    """Photo and every model; with painted twins one more column. Its cells are the pictures."""
    photos, twins, judged = (inputs[n] for n in ("photo_faces", "twin_faces", "proposed_scores"))
    models = {name: inputs[f"{name}_portraits"] for name in ("baseline", "proposed")}
    three = draw_figure_1(photos, twins.subset([]), judged, **models)
    four = draw_figure_1(photos, twins, judged, **models)
    five = draw_figure_1(photos, twins, judged, **models, painter=models["proposed"])
    assert four.width - three.width == five.width - four.width == CELL_PX + GAP_PX
    best = order_by_person_kept(judged)[0][0]
    top = three.height - 6 * (CELL_PX + GAP_PX)
    cell = three.crop((MARGIN_PX, top, MARGIN_PX + CELL_PX, top + CELL_PX))
    small = np.asarray(cell.resize((64, 64), Image.Resampling.BOX), dtype=float)
    original = photos.subset([best])[0].astype(float)
    assert np.abs(small - original).mean() < 4.0


def test_a_long_name_stays_above_its_column(inputs: Any) -> None:
    """It takes several lines, and none of its ink is between the columns."""
    faces = inputs["photo_faces"]
    columns = {"Photo": faces, "Without projected discriminators": faces, "Twin": faces}
    names = faces.names[:1]
    table = np.asarray(draw_picture_table(columns, names))
    header = table[: len(table) - CELL_PX - GAP_PX]
    assert len(table) > draw_picture_table({"Photo": faces}, names).height
    for column in range(1, len(columns)):
        right = MARGIN_PX + column * (CELL_PX + GAP_PX)
        assert (header[:, right - GAP_PX : right] == 255).all()
    assert (header[:, MARGIN_PX + CELL_PX + GAP_PX : right - GAP_PX] < 255).any()


def test_a_thumbnail_is_never_enlarged() -> None:
    """Large pictures shrink to the size asked for; small ones keep theirs."""
    for edge, expected in ((300, 112), (40, 40)):
        uri = to_data_uri(np.zeros((edge, edge, 3), np.uint8))
        content = base64.b64decode(uri.removeprefix("data:image/jpeg;base64,"))
        assert Image.open(io.BytesIO(content)).size == (expected, expected)


def test_the_ranking_shows_the_best_and_the_worst(inputs: Any) -> None:
    """Places rise from 1 to the number of pictures, and the numbers fall."""
    models = ("baseline", "proposed", "light")
    light = inputs.but(
        light_portraits=inputs["baseline_portraits"], light_scores=inputs["baseline_scores"]
    )
    ranking = ranking_of(models)(
        light["photo_faces"],
        *(light[f"{model}_portraits"] for model in models),
        *(light[f"{model}_scores"] for model in models),
    )
    named = [picture.name for picture in ranking.rows[0].pictures]
    assert named == ["Photo", "Baseline", "Proposed", "Light"]
    places = [row.place for row in ranking.rows]
    assert places == sorted(places)
    assert (places[0], places[-1], ranking.total) == (1, 40, 40)
    kept = [float(row.pictures[2].caption.replace("−", "-")) for row in ranking.rows]
    assert kept == sorted(kept, reverse=True)
