"""The structure of the package: imports run one way, names stand once, and every room says what it exports."""

import ast
import collections
import graphlib
import re
import runpy
import tomllib
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "chunkenv"
FILES = sorted(PACKAGE.rglob("*.py"))
ROOMS = sorted(path.parent.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("__init__.py"))
PARALLEL = {"__init__", "env", "vector_env", "template", "tests"}
"""File names that stand twice on purpose: the two families of tasks are built alike, and so is every assignment."""


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def repeated(names):
    return sorted(name for name, count in collections.Counter(names).items() if count > 1)


@pytest.fixture(scope="module")
def contracts():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]


@pytest.fixture(scope="module")
def graph():
    return grimp.build_graph("chunkenv", exclude_type_checking_imports=True, cache_dir=None)


def test_no_modules_import_each_other_in_a_circle(graph):
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    graphlib.TopologicalSorter(imports).prepare()  # raises CycleError, which names the circle


def test_every_module_is_in_a_layer(contracts):
    (layers,) = (contract for contract in contracts if contract["type"] == "layers")
    named = {name.strip() for layer in layers["layers"] for name in layer.split("|")}
    assert named == {
        path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    } - {"__init__"}
    assert layers["exhaustive"]


def test_no_import_is_exempt_from_a_contract(contracts):
    assert not [contract["name"] for contract in contracts if contract.get("ignore_imports")]


def test_every_agent_that_knows_no_kinetix_has_to_stay_so(graph, contracts):
    (contract,) = (each for each in contracts if each["name"].startswith("Only experts"))
    sources = contract["source_modules"]
    agents = graph.find_descendants("chunkenv.agents")
    free = {each for each in agents if not any(f"{each}.".startswith(f"{source}.") for source in sources)}
    ignorant = {each for each in free if not graph.chain_exists(each, "chunkenv.kinetix", as_packages=True)}
    assert not ignorant, "name them in the contract in pyproject.toml"


def test_no_file_name_stands_twice():
    """But for commands, which are called what the user types."""
    stems = [path.stem for path in FILES if path.relative_to(PACKAGE).parts[0] != "cli"]
    assert not set(repeated(stems)) - PARALLEL


def test_no_class_name_stands_twice():
    classes = [node.name for path in FILES for node in ast.walk(parsed(path)) if isinstance(node, ast.ClassDef)]
    assert not repeated(classes)


def test_few_files_stand_at_the_top():
    assert len(list(PACKAGE.glob("*.py"))) <= 9


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_it_holds_and_what_it_exports(room):
    tree = parsed(PACKAGE / room / "__init__.py")
    assert ast.get_docstring(tree)
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    assert "__all__" in {getattr(target, "id", None) for target in targets}


@pytest.mark.parametrize("room", ROOMS)
def test_what_a_room_exports_is_there(room):
    module = pytest.importorskip("chunkenv" + "".join(f".{part}" for part in Path(room).parts), exc_type=ImportError)
    for name in module.__all__:
        assert hasattr(module, name), name


@pytest.mark.parametrize("room", [room for room in ROOMS if room != "."])
def test_what_a_room_exports_late_is_not_hidden_by_a_module_of_that_name(room):
    """Whoever imports such a module binds it in the room, and `__getattr__` is not asked."""
    module = pytest.importorskip("chunkenv" + "".join(f".{part}" for part in Path(room).parts), exc_type=ImportError)
    if hasattr(module, "__getattr__"):
        assert not {path.stem for path in (PACKAGE / room).iterdir()}.intersection(module.__all__)


def test_examples_and_pages_import_from_rooms():
    files = [*(ROOT / "examples").glob("*.py"), *(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]
    rooms = {"chunkenv" + "".join(f".{part}" for part in Path(room).parts) for room in ROOMS}
    for path in files:
        for module in re.findall(r"^\s*from (chunkenv[\w.]*) import", path.read_text(), re.MULTILINE):
            assert module in rooms, f"{path.name}: {module}"


def test_few_lines_are_untyped():
    lines = [line for path in FILES for line in path.read_text(encoding="utf-8").splitlines()]
    assert sum(bool(re.search(r"\bAny\b", line)) and "import" not in line for line in lines) <= 500


def test_coverage_is_counted_by_room_and_refused_where_it_is_too_low():
    script = runpy.run_path(str(ROOT / ".ci" / "coverage_by_room.py"))

    def report(ran, statements, ran_branches=0, branches=0):
        names = ("covered_lines", "num_statements", "covered_branches", "num_branches")
        return {"summary": dict(zip(names, (ran, statements, ran_branches, branches), strict=True))}

    files = {
        "chunkenv/__init__.py": report(0, 0),
        "chunkenv/clock.py": report(97, 100),
        "chunkenv/latency/model.py": report(60, 60, 36, 40),
        "chunkenv/latency/trace.py": report(0, 0),
        "chunkenv/vector/execution.py": report(50, 50, 50, 50),
        "chunkenv/vector/workers/worker.py": report(90, 100),
    }
    found = script["shares"](files)
    assert found == pytest.approx({"chunkenv": 95.75, "clock": 97, "latency": 96, "vector": 95})
    assert script["too_low"](found) == ["latency", "vector", "wrappers"]  # wrappers are missing
    assert script["lines"](found)[1] == "clock      97.0 %  (at least 97)"
