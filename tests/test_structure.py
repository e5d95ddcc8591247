"""The size of files and functions, and tests that mirror the packages."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE, TESTS = ROOT / "src/portrait_pipeline", ROOT / "tests"
MAX_FILE_LINES, MAX_TEST_FILE_LINES, MAX_FUNCTION_LINES = 300, 400, 40
LONGER_FILES = {"src/portrait_pipeline/parameters.py": 370}
"""Files that are one long list: a line for each parameter of every pipeline."""
MAX_WIRING_LINES = 60
"""Of a function in `pipelines/*/pipeline.py`: it is a list of nodes, one line for each argument."""

# Modules that are tested with another one: their test file, below tests/.
TESTED_WITH: dict[str, str] = {
    "cli.py": "test_commands.py",
    "cyclegan/data.py": "cyclegan/test_batches.py",
    "cyclegan/layers.py": "cyclegan/test_networks.py",
    "cyclegan/services.py": "cyclegan/test_loop.py",
    "cyclegan/translation_cycle.py": "cyclegan/test_step.py",
    "datasets/environment.py": "test_run.py",
    "datasets/pipeline_run.py": "runners/test_moved_training.py",
    "datasets/picture_folder.py": "test_commands.py",
    "datasets/places.py": "datasets/test_whole.py",
    "datasets/run_log.py": "hooks/test_run_log.py",
    "decoding/faults.py": "decoding/test_decode.py",
    "decoding/jpeg_scans.py": "decoding/test_decode.py",
    "decoding/worker.py": "decoding/test_processes.py",
    "demo/limits.py": "demo/test_gate.py",
    "demo/page.py": "demo/test_app.py",
    "demo/words.py": "demo/test_service.py",
    "faces/area_means.py": "faces/test_cascade.py",
    "faces/border.py": "faces/test_crop.py",
    "faces/boxes.py": "faces/test_cascade.py",
    "faces/columns.py": "faces/test_audit.py",
    "faces/found.py": "faces/test_detect.py",
    "faces/mtcnn.py": "faces/test_detect.py",
    "faces/search_windows.py": "faces/test_cascade.py",
    "hooks/environment.py": "test_pipeline_registry.py",
    "hooks/saved_outputs.py": "hooks/test_progress_lines.py",
    "identity/embedding.py": "identity/test_embedding_store.py",
    "folders.py": "sources/test_files.py",
    "identity/face_finder.py": "identity/test_judge.py",
    "identity/landmarks.py": "identity/test_judge.py",
    "identity/loading.py": "identity/test_embedder.py",
    "metrics/efficientnet_lite.py": "metrics/test_kid.py",
    "metrics/helpers/descriptors.py": "metrics/test_true_accept_rate.py",
    "metrics/helpers/ranges.py": "metrics/test_ssim.py",
    "metrics/identity_similarity.py": "metrics/test_true_accept_rate.py",
    "metrics/l1_error.py": "metrics/test_psnr.py",
    "metrics/rank.py": "metrics/test_true_accept_rate.py",
    "pipelines/portraits/nodes.py": "test_commands.py",
    "pipelines/portraits/pipeline.py": "test_layers.py",
    "pipelines/reporting/nodes.py": "report/test_page.py",
    "pipelines/reporting/pipeline.py": "report/test_page.py",
    "portrayal/exported.py": "portrayal/test_exporting.py",
    "demo/shipped_shelf.py": "demo/test_rest.py",
    "options.py": "test_portrait_command.py",
    "portrayal/outcomes.py": "portrayal/test_photo_files.py",
    "portrayal/photo.py": "portrayal/test_portrayer.py",
    "portrayal/torch_model.py": "portrayal/test_portrayer.py",
    "runners/events.py": "runners/test_ray_runner.py",
    "runners/losses.py": "runners/test_dispatch.py",
    "runners/mailbox.py": "runners/test_ray_runner.py",
    "scoring/model_tables.py": "pipelines/evaluation/test_evaluation.py",
    "scoring/reference.py": "pipelines/evaluation/test_evaluation.py",
    "scoring/summaries.py": "pipelines/evaluation/test_evaluation.py",
    "scoring/table_rows.py": "pipelines/evaluation/test_evaluation.py",
    "parameter_types.py": "test_parameters.py",
    "settings.py": "test_parameters.py",
    "shell.py": "test_terminal.py",
}
# Tests of several modules at once, of the project's files, or of what a person does.
TESTS_OF_THE_WHOLE = {
    "cyclegan/test_on_gpu.py",
    "cyclegan/test_precision.py",
    "decoding/test_mutations.py",
    "demo/test_browser.py",
    "demo/test_promises.py",
    "demo/test_proxies.py",
    "demo/test_requests.py",
    "hooks/test_server.py",
    "notebooks/test_results.py",
    "pipelines/ingestion/test_ingestion_shards.py",
    "runners/test_moved_ingestion.py",
    "runners/test_moved_training.py",
    "runners/test_whole_sample.py",
    "test_catalog_layers.py",
    "test_docs.py",
    "test_environments.py",
    "test_layers.py",
    "test_resume.py",
    "test_torchrun.py",
    "test_run.py",
    "test_site.py",
    "test_structure.py",
    "test_study.py",
    "test_wheel.py",
    "test_words.py",
}

SOURCES = sorted(
    path.relative_to(PACKAGE).as_posix()
    for path in PACKAGE.rglob("*.py")
    if path.name not in ("__init__.py", "__main__.py")
)
PYTHON_FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("src", "tests", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
)


def test_file_of(module: str) -> Path:
    """Return where the test of a module belongs; a pipeline's files share one."""
    path = Path(module)
    if path.parts[0] == "pipelines":
        return TESTS / path.parent / f"test_{path.parent.name}.py"
    return TESTS / path.parent / f"test_{path.name}"


test_file_of.__test__ = False  # type: ignore[attr-defined]


def function_lines(source: str) -> dict[str, int]:
    """Return the lines of every function, those of its docstring aside."""
    lines = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            has_docstring = ast.get_docstring(node) is not None
            docstring = (first.end_lineno or 0) - first.lineno + 1 if has_docstring else 0
            lines[node.name] = (node.end_lineno or 0) - node.lineno + 1 - docstring
    return lines


def test_every_module_has_a_test_of_its_name() -> None:
    """It lies in the same folder below tests/, or the module is named with the test it shares."""
    without = [module for module in SOURCES if not test_file_of(module).exists()]
    missing = [str(test_file_of(module)) for module in without if module not in TESTED_WITH]
    assert not missing, "write " + ", ".join(missing)
    assert all((TESTS / TESTED_WITH[module]).exists() for module in without)


def test_every_test_file_mirrors_a_module() -> None:
    """No test file is left behind when its module moves, and no exception names what is gone."""
    mirrored = {test_file_of(module) for module in SOURCES} | {
        TESTS / f"benchmarks/test_{path.name}" for path in (ROOT / "benchmarks").glob("*.py")
    }
    others = {TESTS / name for name in TESTS_OF_THE_WHOLE}
    left = set(TESTS.rglob("test_*.py")) - mirrored - others
    assert not left, "no module of that name: " + ", ".join(map(str, sorted(left)))
    assert all(path.exists() for path in others)


def test_files_and_functions_stay_small() -> None:
    """A file has 300 lines at most, of tests 400; a function 40 without docstring, a wiring 60."""
    long = []
    for name in PYTHON_FILES:
        source = (ROOT / name).read_text(encoding="utf-8")
        is_wiring = name.endswith("pipeline.py") and "/pipelines/" in name
        limit = MAX_WIRING_LINES if is_wiring else MAX_FUNCTION_LINES
        functions = function_lines(source).items()
        long += [f"{name}: {function}" for function, lines in functions if lines > limit]
        most = MAX_TEST_FILE_LINES if name.startswith("tests/") else MAX_FILE_LINES
        most = LONGER_FILES.get(name, most)
        long += [name] if len(source.splitlines()) > most else []
    assert not long


def test_a_long_function_is_seen() -> None:
    """Lines are counted from `def` to the last one, without the docstring's."""
    source = 'def short():\n    """One.\n\n    Two.\n    """\n    return 1\n'
    assert function_lines(source) == {"short": 2}
    assert function_lines("def long():\n" + "    x = 1\n" * 40) == {"long": 41}
