"""One word for one thing: names and phrases that were replaced do not come back."""

import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Kept for people who upgrade: what each old name is called now.
OLD_NAMES_ALLOWED = (
    "CHANGELOG.md",
    "src/portrait_pipeline/old_names.py",
    "tests/test_old_names.py",
    "tests/test_words.py",
)

# Class and function names that are ordinary words in prose: looked for among Python's names only.
PYTHON_NAMES = {
    "Chronicle": "RunLogHook",
    "Course": "TrainingLoop",
    "Direction": "a name that says which translation",
    "Identification": "Fingerprint",
    "Machine": "StepContext",
    "Place": "ModelLocation",
    "Remembering": "Memoised",
    "Surroundings": "Services",
    "Tools": "a name that says what for",
    "Turn": "a name that says which pictures",
    "Wish": "PortrayOptions",
    "Workflow": "InputChecks",
    "Workshop": "OpenedModels",
    "mend": "hint",
    "MEND": "HINT",
    "house": "image",
}

# Names that stand for themselves wherever they are written.
NAMES = {
    "any_wishes": "any_rank",
    "drop_monochrome_portraits": "drop_monochrome_paintings",
    "num_portraits": "num_paintings",
    "portrait_discriminator": "painting_discriminator",
    "portrait_faces": "painting_faces",
    "portrait_sources": "painting_sources",
    "portraits_folder": "paintings_folder",
    "raw_portraits_folder": "raw_paintings_folder",
    "real_portraits": "real_paintings",
    "fake_portraits": "fake_paintings",
    "reference_checkpoint": "lambda_0_checkpoint",
    "reference_history": "lambda_0_history",
    "reference_run": "lambda_0_run",
    "reference_summary": "lambda_0_summary",
    "set_proposed_budget": "use_chosen_lambda",
    "speaks_plainly": "exit_with_one_sentence",
}

# Phrases, in any case; the right side is what to write.
PHRASES = {
    r"house (?:image|crop|picture)s?": "image in [-1, 1], crop",
    r"mend(?:s|ed|ing)?": "fix, hint",
    r"wish(?:es|ed)?": "request, option",
    r"(?:to|can|could|cannot|not) be had": "be downloaded, be loaded, be available",
    r"had from": "downloaded from",
    r"for ever": "a time, or repeatedly",
    r"for who": "for those who",
    r"were asked for\)": "leave it out: no document says who asked for what",
    r"\(aim \d": "leave it out: no document says who asked for what",
    r"it ends so": "it ends with",
    r"whose numbers show that everything works and little else": "say what the numbers are",
    r"is told to keep": "is trained to keep",
}

TEXT_SUFFIXES = {".py", ".md", ".yml", ".toml", ".ipynb", ".j2", ".css", ".cff", ""}
FOLDERS = ("src", "conf", "docs", "tests", "benchmarks", "notebooks")
TOP_FILES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "CITATION.cff", "Makefile")


def written_files() -> Iterator[Path]:
    """Yield every text file of the project that a person writes."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            hidden = any(part.startswith((".", "__pycache__")) for part in path.parts[-3:])
            if path.is_file() and path.suffix in TEXT_SUFFIXES and not hidden:
                yield path
    yield from (ROOT / name for name in (*TOP_FILES, "pyproject.toml") if (ROOT / name).exists())


def replaced_words(text: str) -> dict[str, str]:
    """Return the replaced names and phrases in a text, each with what to write instead."""
    found = {
        name: better
        for name, better in NAMES.items()
        if re.search(rf"(?<![A-Za-z0-9]){name}(?![A-Za-z0-9])", text)
    }
    for phrase, better in PHRASES.items():
        if match := re.search(rf"(?<![\w-])(?:{phrase})(?!\w)", text, flags=re.IGNORECASE):
            found[match.group()] = better
    return found


def replaced_python_names(path: Path) -> dict[str, str]:
    """Return the replaced names that a Python file uses as names."""
    with tokenize.open(path) as stream:
        names = {
            token.string
            for token in tokenize.generate_tokens(stream.readline)
            if token.type == tokenize.NAME
        }
    return {name: PYTHON_NAMES[name] for name in names & PYTHON_NAMES.keys()}


def test_replaced_words_do_not_come_back() -> None:
    """No file holds a replaced name or phrase, but where upgrades are explained."""
    found = {}
    for path in written_files():
        name = path.relative_to(ROOT).as_posix()
        if name in OLD_NAMES_ALLOWED:
            continue
        words = replaced_words(path.read_text(encoding="utf-8"))
        if path.suffix == ".py":
            words |= replaced_python_names(path)
        if words:
            found[name] = words
    assert not found, "write the words on the right: " + repr(found)


@pytest.mark.parametrize(
    "text",
    [
        "catalog.load('portrait_faces')",
        "lambda: any_wishes(1)",
        "A house image.",
        "Mending it takes a minute",
        "the weights could not be had",
    ],
)
def test_a_replaced_word_is_seen(text: str) -> None:
    """The search sees names inside of strings and phrases in any case and form."""
    assert replaced_words(text)


@pytest.mark.parametrize(
    "text",
    ["we recommend it", "an amendment", "portraits", "Turn the page", "recommended", "whosewish"],
)
def test_other_words_are_left_alone(text: str) -> None:
    """A replaced word inside of another word is none."""
    assert not replaced_words(text)


def test_python_names_are_told_from_prose(tmp_path: Path) -> None:
    """A name that is an ordinary word counts as a name, and not in a docstring or a comment."""
    prose, name = tmp_path / "prose.py", tmp_path / "name.py"
    prose.write_text('"""Turn the page. Place it."""  # Direction and Machine\n')
    name.write_text("class Wish: ...\n")
    assert replaced_python_names(prose) == {}
    assert list(replaced_python_names(name)) == ["Wish"]
