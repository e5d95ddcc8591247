"""The settings of every pipeline as closed, frozen, bounded models: one per `params:` entry.

Kedro validates each `params:` input of a node against the model in the node's annotation before any
node runs, so a mistyped name or an impossible value fails at once. Units stand in the names.
"""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from portrait_pipeline.parameter_types import Seed, Share, WeightsFile, refuse_truth

MIN_PORTRAIT_PX, MAX_PORTRAIT_PX = 32, 1024
"""Edges of portraits that may be asked for, by commands, settings and programs alike."""
Domain = Literal["photo", "painting"]
Split = Literal["train", "validation", "test"]
Teacher = Literal["dlib", "facenet", "facenet-casia-webface", "faceres"]
Judge = Literal["geometry", "dlib", "facenet", "facenet-casia-webface", "faceres"]


def is_judged_by_its_teacher(judge: str, teacher: str) -> bool:
    """Tell whether the face network that trained a model would also score it.

    A model learns the blind spots of its teacher, and the same eyes do not see them. The two
    FaceNets share architecture and preparation and count as one.
    """
    return judge.partition("-")[0] == teacher.partition("-")[0]


class Parameters(BaseModel):
    """Base of all parameter models: nothing unknown is accepted and nothing changes afterwards."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _truth_is_no_number(cls, given: object, field: ValidationInfo) -> object:
        """Refuse `num_epochs: true`, which Pydantic takes for 1."""
        refuse_truth(given, cls.model_fields[str(field.field_name)].annotation)
        return given


class PictureSourceParameters(Parameters):
    """Where the pictures of one domain come from; a `folder` given wins over `source`.

    The address of the source may be missing: what fetches nothing does without.
    """

    model_config = ConfigDict(coerce_numbers_to_str=True)  # a folder may be called 2024

    source: Literal["sample", "folder", "kaggle", "archive", "met"]
    folder: str | None = None
    kaggle_dataset: str | None = None
    archive: str | None = None
    archive_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    met_query: str = "portrait"
    max_pictures: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _folder_wins(cls, values: object) -> object:
        if isinstance(values, dict) and values.get("folder"):
            return {**values, "source": "folder"}
        return values


class SampleParameters(Parameters):
    """The embedded sample: generated people, their painted twins and portraits of others."""

    num_photos: Annotated[int, Field(ge=1)]
    num_paintings: Annotated[int, Field(ge=1)]
    picture_size_px: Annotated[int, Field(ge=64, le=1024)]
    seed: Seed


class FaceParameters(Parameters):
    """How faces are found and cropped, alike in training and in use.

    A preparation that was stored before there was `fit_in_picture` says nothing of it, and keeps
    the crops that it was trained on, which reach beyond their pictures.
    """

    crop_size_px: Annotated[int, Field(ge=32, le=1024)]
    margin: Annotated[float, Field(ge=0.0, le=2.0)]
    fit_in_picture: bool = False
    min_probability: Share
    min_face_px: Annotated[int, Field(ge=1)]
    align_eyes: bool
    no_face: Literal["drop", "centre", "fail"]
    detection_size_px: Annotated[int, Field(ge=64, le=2048)]
    batch_size: Annotated[int, Field(ge=1)]

    @property
    def window_margin(self) -> float:
        """The margin by which face networks find their window in the crops.

        Crops that fit into their pictures have any margin from 0 to `margin`; the geometric middle
        shows a face enlarged or reduced by the same factor at both ends.
        """
        return math.sqrt(1.0 + self.margin) - 1.0 if self.fit_in_picture else self.margin


class AuditParameters(Parameters):
    """What is left out of the picture sets, beside pictures without a face."""

    drop_monochrome_paintings: bool
    drop_duplicates: bool
    near_duplicate_distance_bits: Annotated[int, Field(ge=0, le=64)]


class PersonParameters(Parameters):
    """When two photographs count as one person, so that no split parts them."""

    max_distance: Annotated[float, Field(gt=0.0, le=2.0)] | None
    max_photos: Annotated[int, Field(ge=1)]


class SplitParameters(Parameters):
    """Sizes of the splits (report, section 3) and how a shortage is met."""

    num_train: Annotated[int, Field(ge=1)]
    num_validation: Annotated[int, Field(ge=0)]
    num_test: Annotated[int, Field(ge=0)]
    split: Literal["exact", "proportional"]
    seed: Seed


class TrainingParameters(Parameters):
    """One CycleGAN training (report, 4 and 5.2); the baseline has `lambda_perceptual` 0."""

    seed: Seed
    resume: bool = False
    reuse: bool = False
    # networks
    image_size_px: Annotated[int, Field(ge=32, multiple_of=4)]
    num_generator_filters: Annotated[int, Field(ge=1)]
    num_residual_blocks: Annotated[int, Field(ge=1)]
    discriminator: Literal["patch", "projected"] = "patch"
    num_discriminator_filters: Annotated[int, Field(ge=1)]
    extra_discriminator_pictures: Annotated[int, Field(ge=0)] = 0
    num_discriminator_layers: Annotated[int, Field(ge=1, le=6)] = 3
    num_shallow_discriminator_layers: Annotated[int, Field(ge=0, le=5)] = 0
    upsampling: Literal["transposed", "resize"]
    sampling: Literal["plain", "antialiased"] = "plain"
    generator_skip: bool = False
    generator_skip_reduction: Literal[1, 2, 4] = 1
    initial_checkpoint: WeightsFile | None = None
    # objective
    adversarial_loss: Literal["least_squares", "log"]
    lambda_cycle: Annotated[float, Field(ge=0.0)]
    lambda_cycle_final_share: Share = 1.0
    lambda_perceptual: Annotated[float, Field(ge=0.0)]
    lambda_identity_mapping: Annotated[float, Field(ge=0.0)]
    teacher: Teacher
    teacher_weights: WeightsFile | None = None
    perceptual_reduction: Literal["sum", "mean"]
    perceptual_warmup_epochs: Annotated[int, Field(ge=0)]
    perceptual_gradient_share: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None
    # optimisation
    num_epochs: Annotated[int, Field(ge=1)]
    num_decay_epochs: Annotated[int, Field(ge=0)]
    batch_size: Annotated[int, Field(ge=1)]
    learning_rate: Annotated[float, Field(gt=0.0)]
    discriminator_learning_rate_ratio: Annotated[float, Field(gt=0.0)] = 1.0
    adam_beta_1: Annotated[float, Field(ge=0.0, lt=1.0)]
    adam_beta_2: Annotated[float, Field(ge=0.0, lt=1.0)]
    image_pool_size: Annotated[int, Field(ge=0)]
    horizontal_flip: bool
    ema_decay: Annotated[float, Field(ge=0.0, lt=1.0)]
    augment_brightness: Share = 0.0
    augment_contrast: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    augment_translation: Annotated[float, Field(ge=0.0, le=0.5)] = 0.0
    augment_cutout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    num_training_pairs: Annotated[int, Field(ge=1)] | None = None
    # watching and keeping
    validate_every_epochs: Annotated[int, Field(ge=1)]
    num_validation_pictures: Annotated[int, Field(ge=0)]
    sample_grid_every_epochs: Annotated[int, Field(ge=1)]
    save_every_steps: Annotated[int, Field(ge=1)]
    save_every_minutes: Annotated[float, Field(gt=0.0)]
    selection_metric: str | None = None
    selection_mode: Literal["max", "min"] = "max"
    early_stop_patience: Annotated[int, Field(ge=1)] | None = None
    num_recent_averages: Annotated[int, Field(ge=0)] = 0
    # machine
    allow_cpu: bool
    accelerator: Literal["auto", "cpu", "cuda", "mps"]
    precision: Literal["auto", "32-true", "16-mixed", "bf16-mixed"]
    devices: Annotated[int, Field(ge=1)] | Literal["auto"]
    strategy: Literal["auto", "ddp"]
    channels_last: bool | Literal["auto"]
    compile: bool
    cuda_graph: bool | Literal["auto"] = False
    deterministic: bool = False
    max_gpu_pictures_gb: Annotated[float, Field(ge=0.0)] = 8.0
    log_every_steps: Annotated[int, Field(ge=1)] = 50
    allow_tf32: bool = True
    cudnn_autotune: bool = True

    @model_validator(mode="after")
    def _networks_fit(self) -> Self:
        if self.extra_discriminator_pictures and not self.image_pool_size:
            raise ValueError(
                "image_pool_size is 0, expected more beside extra_discriminator_pictures"
            )
        if self.sampling == "antialiased" and self.upsampling != "resize":
            raise ValueError(
                f"upsampling is {self.upsampling}, expected resize with sampling: antialiased"
            )
        if self.num_shallow_discriminator_layers >= self.num_discriminator_layers:
            raise ValueError(
                f"num_shallow_discriminator_layers is {self.num_shallow_discriminator_layers},"
                f" expected fewer than num_discriminator_layers ({self.num_discriminator_layers})"
            )
        return self

    @model_validator(mode="after")
    def _decay_fits(self) -> Self:
        if self.num_decay_epochs > self.num_epochs:
            raise ValueError(
                f"num_decay_epochs is {self.num_decay_epochs}, expected at most num_epochs"
                f" ({self.num_epochs})"
            )
        return self

    @model_validator(mode="after")
    def _early_stop_has_a_metric(self) -> Self:
        if self.early_stop_patience is not None and self.selection_metric is None:
            raise ValueError(
                f"early_stop_patience is {self.early_stop_patience}, expected a selection_metric"
                " beside it, for example validation_ssim"
            )
        return self


class TuningParameters(Parameters):
    """The search for λ_p (report, section 5.3)."""

    num_pairs: Annotated[int, Field(ge=1)]
    num_epochs: Annotated[int, Field(ge=1)]
    selection: Literal["ssim", "pareto"]
    max_distance_ratio: Annotated[float, Field(ge=1.0)] = 1.1


class ModelParameters(Parameters):
    """One model of the experiment: what differs from `training`, and the seeds to train it with."""

    training: Mapping[str, Any] = {}
    seeds: tuple[Seed, ...] = ()
    lambda_from_tuning: bool = False

    @model_validator(mode="after")
    def _names_settings_of_training(self) -> Self:
        known = set(TrainingParameters.model_fields) - {"seed", "resume", "reuse"}
        for name in self.training:
            if name not in known:
                raise ValueError(f"training.{name} is no setting of a model")
        if self.lambda_from_tuning and "lambda_perceptual" in self.training:
            raise ValueError("lambda_from_tuning is true, expected no training.lambda_perceptual")
        return self

    @property
    def is_taught(self) -> bool:
        """Whether its training may need a face network; one with λ_p = 0 and no share does not."""
        share = self.training.get("perceptual_gradient_share")
        return self.training.get("lambda_perceptual") != 0 or share is not None


class GridParameters(Parameters):
    """The weights of the perceptual term that each tuning tries."""

    tune: tuple[Annotated[float, Field(gt=0.0)], ...]
    tune_wide: tuple[Annotated[float, Field(gt=0.0)], ...]
    tune_share: tuple[Annotated[float, Field(gt=0.0, lt=1.0)], ...]


Stage = Literal[
    "ingest", "train", "tune", "tune_wide", "tune_share", "evaluate", "report", "publish"
]


class ExperimentParameters(Parameters):
    """Which models there are, which weights the tunings try, and what `kedro run` does."""

    models: dict[Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")], ModelParameters]
    compare_with: str
    grids: GridParameters
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    num_ingestion_shards: Annotated[int, Field(ge=1, le=9999)] = 1

    @model_validator(mode="after")
    def _models_that_the_page_compares(self) -> Self:
        for name in ("baseline", "proposed", self.compare_with):
            if name not in self.models:
                raise ValueError(f"models holds no {name}, which the report page compares")
        return self


class DeceptionParameters(Parameters):
    """The small classifier of real photographs and paintings that portraits are shown to."""

    size_px: Annotated[int, Field(ge=16, le=256)] = 64
    num_filters: Annotated[int, Field(ge=1)] = 16
    num_steps: Annotated[int, Field(ge=1)] = 400
    batch_size: Annotated[int, Field(ge=2, multiple_of=2)] = 32
    learning_rate: Annotated[float, Field(gt=0.0)] = 0.003
    seed: Seed = 0


class EvaluationParameters(Parameters):
    """How models are judged (report, section 5.1, and what it lacked)."""

    judge: Judge
    judge_weights: WeightsFile | None = None
    checkpoint: Literal["last", "best"] = "last"
    use_averaged_generator: bool
    batch_size: Annotated[int, Field(ge=1)]
    num_bootstrap_samples: Annotated[int, Field(ge=100)]
    seed: Seed
    patch_seed: Seed = 0
    inception_weights: WeightsFile | None = None
    deception: DeceptionParameters = DeceptionParameters()

    @model_validator(mode="after")
    def _best_is_averaged(self) -> Self:
        if self.checkpoint == "best" and not self.use_averaged_generator:
            raise ValueError(
                "checkpoint is best, which keeps averaged generators only, expected"
                " use_averaged_generator: true"
            )
        return self


class PublicationParameters(Parameters):
    """What the page of a study says of where it comes from."""

    command: str
    folder: str
    title: str = "Results"


class PortrayingParameters(Parameters):
    """How photos become portraits once a model is trained."""

    faces: Literal["largest", "all"]
    paste_back: bool
    whole: bool = False
    compare: bool = False
    size_px: Annotated[int, Field(ge=MIN_PORTRAIT_PX, le=MAX_PORTRAIT_PX)] | None = None
    batch_size: Annotated[int, Field(ge=1)]
    detection_size_px: Annotated[int, Field(ge=64, le=2048)] = 320
