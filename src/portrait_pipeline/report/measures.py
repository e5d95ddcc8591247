"""What the page says about each number: its name, its direction and how to place it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Unit = Literal["plain", "percent", "decibel"]


@dataclass(frozen=True)
class Measure:
    """One number of the tables `comparison` and `lambda_table`, and how the page explains it.

    Attributes:
        key: Column of the table; `key_low` and `key_high` hold its 95 % bootstrap interval.
        label: Its name on the page.
        group: The question that it answers.
        better: The direction in which it is better; `neither` where no direction is.
        meaning: One sentence that explains it to a new reader.
        why_missing: Why it was not measured, where it was not.
        worst: The control that shows a bad value of it (empty: none).
        best: The control that shows a perfect value of it (empty: none).
        unit: How it is written.
    """

    key: str
    label: str
    group: str
    better: Literal["higher", "lower", "neither"]
    meaning: str
    why_missing: str
    worst: str = ""
    best: str = ""
    unit: Unit = "plain"

    @property
    def pairs_with_photo(self) -> bool:
        """Whether it compares each picture with its own photo, so that a photo is needed."""
        return not self.key.startswith(SET_MEASURES)


PERSON = "Is it still the person?"
PAINTING = "Is it a painting?"
LIKENESS = "How alike are the pixels?"
HEALTH = "Is the model sound?"
SET_MEASURES = ("swd", "kid", "deception_rate", "diversity")

_NOT_JUDGED = "no judge was available"

MEASURES: tuple[Measure, ...] = (
    Measure(
        "identity_similarity",
        "Same-person similarity",
        PERSON,
        "higher",
        "Cosine of what the judge sees in the photo and in its portrait, from −1 to 1: embeddings,"
        " or landmarks where the judge is geometry.",
        _NOT_JUDGED,
        worst="shuffled_pairs",
        best="photo_itself",
    ),
    Measure(
        "rank_1",
        "Rank-1 accuracy",
        PERSON,
        "higher",
        "Share of portraits whose nearest photo among all test photos is the right one.",
        _NOT_JUDGED,
        worst="shuffled_pairs",
        best="photo_itself",
        unit="percent",
    ),
    Measure(
        "rank_5",
        "Rank-5 accuracy",
        PERSON,
        "higher",
        "Share of portraits whose own photo is among the five nearest.",
        _NOT_JUDGED,
        worst="shuffled_pairs",
        best="photo_itself",
        unit="percent",
    ),
    Measure(
        "true_accept_rate",
        "True accept rate at 1 % false accepts",
        PERSON,
        "higher",
        "Share of portraits above the similarity that only 1 % of strangers reach.",
        _NOT_JUDGED,
        worst="shuffled_pairs",
        best="photo_itself",
        unit="percent",
    ),
    Measure(
        "landmark_error",
        "Landmark error",
        PERSON,
        "lower",
        "Mean distance of 68 face landmarks from the photo's, in eye distances.",
        "no landmarks were found",
        worst="shuffled_pairs",
        best="photo_itself",
    ),
    Measure(
        "face_found_share",
        "Face detected",
        PERSON,
        "higher",
        "Share of portraits in which the detector finds a face.",
        "the detector was not run",
        best="photo_itself",
        unit="percent",
    ),
    Measure(
        "teacher_similarity",
        "Teacher's own score",
        PERSON,
        "higher",
        "The same cosine by the teacher, which trained the model: not evidence.",
        "no teacher was loaded",
        worst="shuffled_pairs",
        best="photo_itself",
    ),
    Measure(
        "kid",
        "Distance to paintings (KID)",
        PAINTING,
        "lower",
        "Kernel distance (×10³) between portraits and real paintings in EfficientNet-Lite0's"
        " features.",
        "there are fewer than four pictures",
        worst="photo_itself",
        best="real_paintings",
    ),
    Measure(
        "swd",
        "Distance to paintings (SWD)",
        PAINTING,
        "lower",
        "Sliced Wasserstein distance between the set of portraits and real paintings.",
        "there is no set of portraits",
        worst="photo_itself",
        best="real_paintings",
    ),
    Measure(
        "deception_rate",
        "Taken for a painting",
        PAINTING,
        "higher",
        "Share that a small classifier of real photos and paintings, which never saw a portrait,"
        " takes for paintings.",
        "the classifier is asked on the test set only",
        worst="photo_itself",
        best="real_paintings",
        unit="percent",
    ),
    Measure(
        "kid_early",
        "Distance in grain (KID, early)",
        PAINTING,
        "lower",
        "The same kernel distance at an early stage of the network, which sees grain and"
        " checkerboards.",
        "there are fewer than four pictures",
        worst="photo_itself",
        best="real_paintings",
    ),
    Measure(
        "kid_inception",
        "Distance to paintings (Inception KID)",
        PAINTING,
        "lower",
        "Kernel Inception distance (×10³) between the set of portraits and real paintings.",
        "the Inception weights were not available",
        worst="photo_itself",
        best="real_paintings",
    ),
    Measure(
        "ssim",
        "SSIM",
        LIKENESS,
        "higher",
        "Structural similarity of photo and portrait with the right constants.",
        "there are no pairs",
        worst="shuffled_pairs",
        best="photo_itself",
    ),
    Measure(
        "ssim_as_published",
        "SSIM as published",
        LIKENESS,
        "higher",
        "With the report's constants, which give two pictures of noise 0.986: not evidence.",
        "there are no pairs",
        worst="shuffled_pairs",
        best="photo_itself",
    ),
    Measure(
        "lpips",
        "Perceptual distance to the photo (LPIPS)",
        LIKENESS,
        "neither",
        "Perceptual distance of photo and portrait; 0 is a copy, unrelated pictures lie near 0.7.",
        "the AlexNet weights were not available",
    ),
    Measure(
        "reconstruction_l1",
        "Cycle error (L1)",
        LIKENESS,
        "lower",
        "Mean absolute difference of photo and reconstruction, on [−1, 1].",
        "nothing is reconstructed",
    ),
    Measure(
        "reconstruction_psnr",
        "Cycle PSNR",
        LIKENESS,
        "higher",
        "Peak signal-to-noise ratio of the reconstruction.",
        "nothing is reconstructed",
        unit="decibel",
    ),
    Measure(
        "luminance_correlation",
        "Light stays light",
        HEALTH,
        "higher",
        "Correlation of brightness of photo and portrait; below zero, colours are inverted.",
        "there are no pairs",
        best="photo_itself",
    ),
    Measure(
        "diversity",
        "Diversity",
        HEALTH,
        "neither",
        "Mean distance between portraits of different people; near 0 for a collapsed model.",
        "there is no set of portraits",
        best="real_paintings",
    ),
)

BY_KEY = {measure.key: measure for measure in MEASURES}
HEADLINE_KEYS = (
    "identity_similarity",
    "rank_1",
    "true_accept_rate",
    "landmark_error",
    "face_found_share",
    "kid",
    "swd",
    "deception_rate",
    "ssim",
)

_SWD_LEVEL = re.compile(r"^swd_(?:level_)?(\d+)(?:_?px)?$")


def measures_of(columns: Iterable[str]) -> tuple[Measure, ...]:
    """List the measures of a table: all that there are, and the levels of SWD that it holds.

    A level is a column such as `swd_32px`: the distance at that size of the pyramid alone.
    """
    sizes = {int(found[1]): name for name in columns if (found := _SWD_LEVEL.match(name))}
    levels = tuple(
        Measure(
            sizes[size],
            f"SWD at {size} px",
            PAINTING,
            "lower",
            f"The same at {size} px alone: large sizes see brush strokes, small ones composition.",
            "only the average over all sizes was kept",
        )
        for size in sorted(sizes, reverse=True)
    )
    place = MEASURES.index(BY_KEY["swd"]) + 1
    return (*MEASURES[:place], *levels, *MEASURES[place:])
