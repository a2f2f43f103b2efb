"""The law of the house (CONTRIBUTING.md), held by a test and not by goodwill."""

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "core"
# From the ground up. A module may import its own floor and those below it.
FLOORS = (
    ("core.enums", "core.errors"),
    ("core.rules",),
    ("core.models",),
    ("core.queries",),
    ("core.actions",),
    ("core.tasks",),
    ("core.views", "core.admin", "core.management"),
    ("core.urls",),
)
DOORS = ("core.tasks", "core.views", "core.admin", "core.management")
CLOCK = "core.queries.clock"
CLOCKS = {"now", "utcnow", "today", "time", "localtime", "localdate"}
WRITES = {"save", "create", "update", "delete", "bulk_create", "bulk_update", "get_or_create"}
READS = ("get_", "find_", "list_", "map_", "count_", "sum_", "has_", "lock_")
BANNED_NAMES = {"utils", "helpers", "common", "services", "misc", "signals"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def product_files() -> list[Path]:
    skipped = (CORE / "tests", CORE / "migrations")
    return [
        path
        for path in sorted(CORE.rglob("*.py"))
        if not path.is_relative_to(skipped[0]) and not path.is_relative_to(skipped[1])
    ]


def all_files() -> list[Path]:
    tops = ("benchmarks", "budget_manager", "chaos", "core", "stack")
    files = [path for top in tops for path in sorted((ROOT / top).rglob("*.py"))]
    return [path for path in files if path.name != "0001_initial.py"]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def functions_of(path: Path) -> Iterator[Function]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, Function):
            yield node


def length(function: Function) -> int:
    return (function.end_lineno or 0) - function.lineno + 1


def is_in(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def floor_of(module: str) -> int | None:
    return next((level for level, names in enumerate(FLOORS) if is_in(module, *names)), None)


def attributes_of(path: Path) -> Iterator[ast.Attribute]:
    return (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Attribute))


def texts_of(path: Path) -> Iterator[str]:
    """What stands between quotes, docstrings included."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def offenders(paths: list[Path], breaks: Callable[[Path], Iterator[str]]) -> list[str]:
    return [f"{path.relative_to(ROOT)}: {what}" for path in paths for what in breaks(path)]


def test_law_1_imports_point_down() -> None:
    def upward(path: Path) -> Iterator[str]:
        own_floor = floor_of(module_name(path))
        for imported in imports_of(path):
            floor = floor_of(imported)
            if own_floor is not None and floor is not None and floor > own_floor:
                yield f"imports {imported} from a floor above"

    assert offenders(product_files(), upward) == []


def test_law_1_imports_make_no_circles() -> None:
    modules = {module_name(path): path for path in product_files()}
    graph = {
        name: {imported for imported in imports_of(path) if imported in modules} - {name}
        for name, path in modules.items()
    }
    # A package's front names its members; members never import their own front.
    assert list(TopologicalSorter(graph).static_order())


def test_law_1_no_imports_inside_functions() -> None:
    def inner_imports(path: Path) -> Iterator[str]:
        for function in functions_of(path):
            if any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(function)):
                yield f"{function.name} imports inside"

    assert offenders(all_files(), inner_imports) == []


def test_law_2_only_doors_read_the_clock_and_settings() -> None:
    def reads(path: Path) -> Iterator[str]:
        if not is_in(module_name(path), *DOORS):
            for door_only in {"django.conf.settings", f"{CLOCK}.get_now"} & set(imports_of(path)):
                yield f"imports {door_only}"

    assert offenders(product_files(), reads) == []


def test_law_2_there_is_one_clock() -> None:
    def reads(path: Path) -> Iterator[str]:
        if is_in(module_name(path), CLOCK):
            return
        for node in attributes_of(path):
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            if node.attr in CLOCKS and owner in {"timezone", "datetime", "date", "time"}:
                yield f"reads the clock in line {node.lineno}"

    assert offenders(product_files(), reads) == []


def test_law_3_objects_only_in_models_queries_and_actions() -> None:
    def reaches_rows(path: Path) -> Iterator[str]:
        if not is_in(module_name(path), "core.models", "core.queries", "core.actions"):
            for node in attributes_of(path):
                if node.attr in {"objects", "_default_manager"}:
                    yield f"uses .{node.attr} in line {node.lineno}"

    assert offenders(product_files(), reaches_rows) == []


def test_law_3_rows_are_locked_in_one_module_that_states_the_order() -> None:
    def locks(path: Path) -> Iterator[str]:
        for node in attributes_of(path):
            if node.attr == "select_for_update":
                yield f"locks rows in line {node.lineno}"
        for words in texts_of(path):
            if re.search(r"\bFOR (NO KEY )?UPDATE\b|\bFOR (KEY )?SHARE\b|\bLOCK TABLE\b", words):
                yield f"locks rows: {words}"

    others = [path for path in product_files() if module_name(path) != "core.queries.locks"]
    assert offenders(others, locks) == []
    assert "FOR NO KEY UPDATE" in "".join(texts_of(CORE / "queries" / "locks.py"))
    assert "Lock order" in (ast.get_docstring(tree_of(CORE / "queries" / "locks.py")) or "")


def test_law_4_a_query_never_writes() -> None:
    def writes(path: Path) -> Iterator[str]:
        if is_in(module_name(path), "core.queries"):
            for node in attributes_of(path):
                if node.attr in WRITES:
                    yield f"calls .{node.attr} in line {node.lineno}"

    assert offenders(product_files(), writes) == []


def test_law_4_rules_are_pure() -> None:
    impure = ("django", "celery", "os", "random", "time", "logging", "subprocess", "pathlib")

    def reaches_out(path: Path) -> Iterator[str]:
        if is_in(module_name(path), "core.rules", "core.enums", "core.errors"):
            for imported in imports_of(path):
                if is_in(imported, *impure):
                    yield f"imports {imported}"

    assert offenders(product_files(), reaches_out) == []


def test_law_5_no_signals_and_no_names_that_say_nothing() -> None:
    def vague(path: Path) -> Iterator[str]:
        if path.stem in BANNED_NAMES:
            yield "is named after nothing"
        for imported in imports_of(path):
            if "signals" in imported and imported.startswith("django"):
                yield f"imports {imported}"

    assert offenders(all_files(), vague) == []


@pytest.mark.parametrize(
    ("package", "longest"),
    [
        ("core", 50),
        ("budget_manager", 50),
        ("stack", 50),
        ("benchmarks", 50),
        ("chaos", 50),
        ("core/views", 20),
        ("core/tasks.py", 15),
    ],
)
def test_law_6_functions_are_short(package: str, longest: int) -> None:
    def long_functions(path: Path) -> Iterator[str]:
        for function in functions_of(path):
            if length(function) > longest:
                yield f"{function.name} has {length(function)} lines, at most {longest}"

    chosen = [path for path in all_files() if path.is_relative_to(ROOT / package)]
    is_door = longest < 50
    assert chosen
    assert (
        offenders(
            chosen if not is_door else [path for path in chosen if _has_door(path)], long_functions
        )
        == []
    )


def _has_door(path: Path) -> bool:
    return (
        any(
            function.args.args and function.args.args[0].arg == "request"
            for function in functions_of(path)
        )
        or path.name == "tasks.py"
    )


def test_law_6_files_are_short() -> None:
    def long_file(path: Path) -> Iterator[str]:
        lines = len(path.read_text().splitlines())
        if lines > 400:
            yield f"has {lines} lines, at most 400"

    assert offenders(all_files(), long_file) == []


def test_law_6_five_parameters_of_which_three_by_position() -> None:
    def many(path: Path) -> Iterator[str]:
        for function in functions_of(path):
            args = function.args
            by_position = [
                arg for arg in args.posonlyargs + args.args if arg.arg not in ("self", "cls")
            ]
            if len(by_position) > 3 or len(by_position) + len(args.kwonlyargs) > 5:
                yield f"{function.name} takes too many parameters"

    # Django fixes the signatures of its hooks in the admin and in fields.
    free = [path for path in product_files() if not is_in(module_name(path), "core.admin")]
    assert offenders(free, many) == []


def test_a_query_is_named_after_what_it_reads() -> None:
    def misnamed(path: Path) -> Iterator[str]:
        for node in tree_of(path).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith((*READS, "_")):
                yield node.name

    chosen = [path for path in product_files() if is_in(module_name(path), "core.queries")]
    assert offenders(chosen, misnamed) == []


@pytest.mark.parametrize("number", range(1, 31))
def test_every_promise_is_found_by_its_number_in_code_and_in_a_test(number: int) -> None:
    cited = re.compile(rf"\bC{number}\b")
    tests = [path for path in (CORE / "tests").rglob("*.py") if path.name != "test_house.py"]
    product = [
        *product_files(),
        *(ROOT / "stack").rglob("*.py"),
        *(CORE / "migrations").glob("*.py"),
    ]
    assert any(cited.search(path.read_text()) for path in product), "no code cites it"
    assert any(cited.search(path.read_text()) for path in tests), "no test cites it"


def test_the_settings_table_names_every_variable_that_is_read() -> None:
    settings = (ROOT / "budget_manager/settings.py").read_text()
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', settings))
    table, _, of_make_run = (ROOT / "docs/settings.md").read_text().partition("## `make run`")
    assert of_make_run
    assert set(re.findall(r"^\| `([A-Z_]+)`", table, re.MULTILINE)) == read
