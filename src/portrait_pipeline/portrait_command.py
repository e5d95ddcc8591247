"""`portrait` paints photos wherever the package is installed, without a folder of the project."""

import io
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import click
from PIL import Image

from portrait_pipeline import __version__
from portrait_pipeline.errors import PortraitPipelineError
from portrait_pipeline.extras import require_extra
from portrait_pipeline.file_names import distinct_stems, printable, safe_stem, user_path
from portrait_pipeline.folders import ListedFile
from portrait_pipeline.options import ADDRESS_OPTIONS, SIZE_OPTION, UserPath, takes
from portrait_pipeline.pictures import LIMITS, PictureError
from portrait_pipeline.portrayal.naming import FORMATS, picture_format
from portrait_pipeline.portrayal.outcomes import NOT_ALL_PORTRAYED
from portrait_pipeline.portrayal.photo_files import find_photos
from portrait_pipeline.portrayal.pretrained import NoFaceError, Portrayer
from portrait_pipeline.portrayal.shipped import ShippedModelError, read_shipped_card
from portrait_pipeline.portrayal.targets import refuse_existing, write_numbered
from portrait_pipeline.shell import exit_with, say, sentence_of_the_disk, show_any_character
from portrait_pipeline.signals import StoppedError, stopping_in_order

STREAM = "-"
"""Standard input among the photos, standard output as what is written."""


@dataclass(frozen=True)
class Wanted:
    """What the portraits are to look like.

    Attributes:
        size_px: Edge of a portrait; by default the face's own.
        faces: Which faces of a photo.
        paste_back: Write the whole photo with its portraits in place.
        whole: Paint the whole photo.
        model: Folder of a model; by default the one that comes with the package.
        force: Replace files that are there.
    """

    size_px: int | None
    faces: Literal["largest", "all"]
    paste_back: bool
    whole: bool
    model: Path | None
    force: bool

    @property
    def keeps_photo(self) -> bool:
        """Whether one picture of the photo's size comes out, however many faces there are."""
        return self.paste_back or self.whole

    @property
    def numbers_files(self) -> bool:
        """Whether a photo may have several portraits."""
        return self.faces == "all" and not self.keeps_photo

    def pictures(self, portrayer: Portrayer, photo: Path | bytes) -> list[Image.Image]:
        """Paint one photo."""
        if self.whole:
            return [portrayer.paint_whole(photo)]
        if self.paste_back:
            return [portrayer.paste_back(photo, faces=self.faces)]
        if self.faces == "all":
            return portrayer.portray_all(photo, size_px=self.size_px)
        return [portrayer.portray(photo, size_px=self.size_px)]


def _show_version(context: click.Context, _: click.Parameter, is_asked: bool) -> None:
    if not is_asked or context.resilient_parsing:
        return
    click.echo(f"portrait_pipeline {__version__}")
    try:
        card = read_shipped_card()
        click.echo(f"model: {card.title}; trained on {card.trained_on}; {card.licence}")
    except ShippedModelError as error:
        click.echo(str(error))
    context.exit()


_VERSION = click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version of the package and of its model.",
)


@click.command(epilog="`portrait serve` opens a web page instead; see `portrait serve --help`.")
@click.argument("photos", nargs=-1, required=True)
@click.option("-o", "--out", help="File or folder to write; - is standard output.")
@SIZE_OPTION
@click.option("--faces", type=click.Choice(["largest", "all"]), default="largest")
@click.option("--paste-back", is_flag=True, help="Lay the portrait into the whole photo.")
@click.option("--whole", is_flag=True, help="Paint the whole photo, with its ground and all faces.")
@click.option("--model", type=UserPath(), help="Folder of another model than the package's own.")
@click.option("--force", is_flag=True, help="Replace pictures that are there.")
@_VERSION
@click.pass_context
def portrait(
    context: click.Context, /, photos: tuple[str, ...], out: str | None, **wanted: object
) -> None:
    """Paint portraits of PHOTOS: files, folders, or - for standard input.

    One photo becomes one file, by default NAME_portrait.png in the current folder. Several photos,
    or a folder, go to the folder that --out names. The exit code is 3 when a photo could not be
    read or shows no face.
    """
    options = Wanted(**wanted)  # type: ignore[arg-type]  # click has checked them
    if options.keeps_photo and options.size_px:
        raise click.UsageError(
            "--size is the edge of a portrait; --paste-back and --whole keep the photo's"
        )
    if options.paste_back and options.whole:
        raise click.UsageError("--paste-back and --whole were both given, expected one")
    if STREAM in photos or out == STREAM:
        done = _through_streams(photos, out, options)
    else:
        done = _to_files([user_path(photo) for photo in photos], out, options)
    if not done:
        context.exit(NOT_ALL_PORTRAYED)


@click.command()
@takes(*ADDRESS_OPTIONS)
@click.option("--model", type=UserPath(), help="Folder of another model than the package's own.")
def serve(host: str, port: int, allowed_hosts: Sequence[str], model: Path | None) -> None:
    """Open the web page, and answer photos that are posted to /api/portrait."""
    require_extra("app", "portrait serve")
    # imported here, so that portraits are made without a web server
    from portrait_pipeline.demo.app import serve as serve_page  # noqa: PLC0415
    from portrait_pipeline.demo.shipped_shelf import ShippedShelf  # noqa: PLC0415

    log = logging.getLogger("portrait_pipeline")
    log.addHandler(logging.StreamHandler())
    log.setLevel(logging.INFO)
    serve_page(ShippedShelf(model), None, host, port, allowed_hosts)


def main() -> None:
    """Run `portrait`, or `portrait serve`; end with one sentence where it fails."""
    show_any_character()
    is_serve = sys.argv[1:2] == ["serve"]
    command, given = (serve, sys.argv[2:]) if is_serve else (portrait, sys.argv[1:])
    with stopping_in_order():
        try:
            name = "portrait serve" if is_serve else "portrait"
            # not standalone, where click takes a signal for an unknown end and says "Aborted!"
            sys.exit(command.main(given, prog_name=name, standalone_mode=False))
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except click.Abort as abort:
            exit_with(str(abort.__cause__ or "the command was stopped"))
        except StoppedError as stopped:
            exit_with(str(stopped))
        except PortraitPipelineError as error:
            exit_with(str(error))
        except OSError as error:
            exit_with(sentence_of_the_disk(error))
        except UnicodeError as error:
            exit_with(f"a name cannot be written here ({error}); try with LC_ALL=C.UTF-8")


def _through_streams(photos: Sequence[str], out: str | None, wanted: Wanted) -> bool:
    """Paint one photo that comes or goes through a standard stream."""
    if len(photos) > 1 or wanted.numbers_files:
        raise click.UsageError(
            "a standard stream takes one picture: give one photo, and no --faces all without"
            " --paste-back"
        )
    if out not in (None, STREAM):
        return _to_file(_from_stream(photos[0]), user_path(str(out)), wanted)
    if sys.stdout is None:  # as the shell's `>&-` leaves it
        raise PortraitPipelineError("standard output is closed; name a file with --out")
    if sys.stdout.isatty():
        raise PortraitPipelineError(
            "standard output is a terminal, expected a file or another program: name a file with"
            " --out, or add `> painted.png`"
        )
    given = _from_stream(photos[0])
    portrayer = Portrayer.pretrained(wanted.model)
    try:
        (picture,) = wanted.pictures(portrayer, given)
    except (PictureError, NoFaceError) as error:
        say(_sentence(_name_of(given), error), err=True)
        return False
    content = io.BytesIO()
    picture.save(content, "PNG")
    try:
        sys.stdout.buffer.write(content.getvalue())
        sys.stdout.buffer.flush()
    except OSError as error:
        raise PortraitPipelineError(
            f"standard output does not take the portrait ({error.strerror or error}); name a file"
            " with --out"
        ) from error
    return True


def _from_stream(photo: str) -> Path | bytes:
    """Read standard input where the photo is `-`; one byte too many is enough to refuse it."""
    if photo == STREAM:
        if sys.stdin is None:
            raise PortraitPipelineError("standard input is closed, expected a picture")
        return sys.stdin.buffer.read(LIMITS.file_bytes + 1)
    return user_path(photo)


def _name_of(photo: Path | bytes) -> str:
    return "standard input" if isinstance(photo, bytes) else str(photo)


def _to_files(photos: Sequence[Path], out: str | None, wanted: Wanted) -> bool:
    """Paint photos into files; tell whether all have a portrait."""
    target = None if out is None else user_path(out)
    if len(photos) == 1 and not photos[0].is_dir() and not _is_folder(out):
        ((name, _),) = find_photos(photos, Path())  # says so where there is none
        own_name = Path(f"{safe_stem(name)}_portrait.png")
        return _to_file(photos[0], target or own_name, wanted)
    if target is None:
        raise PortraitPipelineError(
            "several photos were given, expected a folder for their portraits: name one with --out"
        )
    if target.suffix.lower() in FORMATS and not target.is_dir():
        raise PortraitPipelineError(
            f"--out {target} is the name of a picture, but several photos or a folder were given;"
            " expected a folder for their portraits"
        )
    return _to_folder(find_photos(photos, target), target, wanted)


def _is_folder(out: str | None) -> bool:
    """Tell whether --out means a folder: it is one, ends with a slash, or has no ending."""
    if out is None:
        return False
    return user_path(out).is_dir() or out.endswith(("/", "\\")) or not user_path(out).suffix


def _to_file(photo: Path | bytes, target: Path, wanted: Wanted) -> bool:
    picture_format(target)
    photos = [photo] if isinstance(photo, Path) else []
    refuse_existing([target], photos, wanted.numbers_files, wanted.force)
    portrayer = Portrayer.pretrained(wanted.model)
    try:
        pictures = wanted.pictures(portrayer, photo)
    except (PictureError, NoFaceError) as error:
        say(_sentence(_name_of(photo), error), err=True)
        return False
    _write(target, pictures, wanted)
    say(f"painted by {portrayer.card.title}")
    return True


def _to_folder(files: Sequence[ListedFile], folder: Path, wanted: Wanted) -> bool:
    """Paint many photos; one that fails does not stop the others."""
    stems = distinct_stems([Path(name).name for name, _ in files])
    kind = "painting" if wanted.whole else "photo" if wanted.paste_back else "portrait"
    targets = [folder / f"{stem}_{kind}.png" for stem in stems]
    photos = [photo for _, photo in files if isinstance(photo, Path)]
    refuse_existing(targets, photos, wanted.numbers_files, wanted.force)
    portrayer = Portrayer.pretrained(wanted.model)
    num_done = 0
    for (name, photo), target in zip(files, targets, strict=True):
        try:
            if not isinstance(photo, Path):
                raise PictureError(name, photo, "")
            _write(target, wanted.pictures(portrayer, photo), wanted)
            num_done += 1
        except PortraitPipelineError as error:  # unreadable, without a face, or not to be written
            say(_sentence(name, error), err=True)
        except KeyboardInterrupt:
            say(f"stopped after {num_done} of {len(files)} photos", err=True)
            raise
    say(f"{num_done} of {len(files)} photos portrayed, by {portrayer.card.title}")
    return num_done == len(files)


def _write(target: Path, pictures: Sequence[Image.Image], wanted: Wanted) -> None:
    for place, picture in write_numbered(target, pictures, wanted.force).items():
        say(f"{printable(str(place))}: {picture.width} × {picture.height} px")


def _sentence(name: str, error: PortraitPipelineError) -> str:
    """Say which photo has no portrait and why; errors of pictures name them already."""
    reason = error.reason if isinstance(error, PictureError) else str(error)
    return f"{printable(name)}: {printable(reason)}"
