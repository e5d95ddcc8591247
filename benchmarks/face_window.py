"""Which part of a crop should dlib's recogniser see?

    python benchmarks/face_window.py ../shared/pictures/photos > benchmarks/face_window.md

dlib learnt from chips that its own detector and landmarks aligned. Each window is applied to crops
of 64 px, and its descriptors are compared with dlib's own of the same face, aligned by dlib in the
crop of 256 px. The table gives the cosine with the own face and with strangers (centred on each
set's mean), how many standard deviations lie between them (d′), how often the own face is the
nearest (rank-1), and the share of raw descriptors within dlib's 0.6.
"""

import sys
from pathlib import Path

import dlib
import numpy as np
import torch
from face_statistics import BATCH_SIZE, cut_folder, shrink

from portrait_pipeline.identity.dlib_format import find_model_file
from portrait_pipeline.identity.dlib_network import (
    INPUT_SIZE_PX,
    RECOGNISER_FILE,
    SAME_PERSON_DISTANCE,
    load_dlib_network,
)
from portrait_pipeline.identity.fixed_crop import FaceWindow
from portrait_pipeline.images import HALF_RANGE, to_model_range

MAX_FACES = 200
SIZE_PX = 64
WINDOWS = (
    *[(edge, 0.0) for edge in (1.35, 1.12, 0.93)],
    *[(edge, 0.09) for edge in (1.12, 1.03, 0.99, 0.93, 0.86)],
    *[(0.93, lower) for lower in (0.04, 0.065, 0.115)],
)


def aligned_by_dlib(crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows in which dlib's detector finds one face, and dlib's descriptors of them."""
    detector = dlib.get_frontal_face_detector()
    predictor = dlib.shape_predictor(str(find_model_file("shape_predictor_5_face_landmarks.dat")))
    recogniser = dlib.face_recognition_model_v1(str(find_model_file(RECOGNISER_FILE)))
    rows, descriptors = [], []
    for row, crop in enumerate(crops):
        boxes = detector(crop, 1)
        if len(boxes) == 1:
            shape = predictor(crop, boxes[0])
            rows.append(row)
            descriptors.append(recogniser.compute_face_descriptor(crop, shape))
    return np.array(rows), np.array(descriptors)


@torch.no_grad()
def seen_through(window: FaceWindow, crops: np.ndarray) -> np.ndarray:
    """Compute raw descriptors of what a window shows."""
    network, crop = load_dlib_network().eval(), window.in_crops()
    batches = (crops[start : start + BATCH_SIZE] for start in range(0, len(crops), BATCH_SIZE))
    faces = (crop(to_model_range(batch)).add(1.0).mul(HALF_RANGE) for batch in batches)
    return np.concatenate([network(batch).numpy() for batch in faces])


def unit(descriptors: np.ndarray) -> np.ndarray:
    """Centre on the mean and normalise."""
    centred = descriptors - descriptors.mean(axis=0)
    return centred / np.linalg.norm(centred, axis=1, keepdims=True)


def table_row(edge: float, lower: float, raw: np.ndarray, reference: np.ndarray) -> str:
    """Compare one window with dlib's own alignment."""
    cosines = unit(raw) @ unit(reference).T
    own, strangers = np.diagonal(cosines), cosines[~np.eye(len(cosines), dtype=bool)]
    spread = np.sqrt((own.var() + strangers.var()) / 2)
    near = np.linalg.norm(raw - reference, axis=1) < SAME_PERSON_DISTANCE
    found = (cosines >= own[:, None]).sum(axis=1) == 1
    values = (own.mean(), strangers.mean(), (own.mean() - strangers.mean()) / spread)
    shown = " | ".join(f"{value:.2f}" for value in (*values, found.mean(), near.mean()))
    return f"| {edge:.2f} | {lower:.3f} | {shown} |"


if __name__ == "__main__":
    large = cut_folder(Path(sys.argv[1]))
    large = large[:: max(1, len(large) // MAX_FACES)]
    rows, reference = aligned_by_dlib(large)
    small = shrink(large[rows], SIZE_PX)
    print(f"`python benchmarks/face_window.py {sys.argv[1]} > benchmarks/face_window.md`\n")
    print(f"{len(rows)} faces of {Path(sys.argv[1]).name}, crops of {SIZE_PX} px\n")
    print("| edge, boxes | below the box, boxes | own | strangers | d′ | rank-1 | within 0.6 |")
    print("|---|---|---|---|---|---|---|")
    for edge, lower in WINDOWS:
        window = FaceWindow(wide=edge, high=edge, lower=lower, size_px=INPUT_SIZE_PX)
        print(table_row(edge, lower, seen_through(window, small), reference), flush=True)
