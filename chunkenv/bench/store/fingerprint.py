"""The fingerprint of the code that decides a study's rows: rows of other code must not stand beside them.

It compares what code is: its syntax without comments and docstrings. Data files count byte by byte.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import inspect
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from chunkenv.bench.study import Study

PACKAGE = Path(__file__).parents[2]
DECIDES = (
    "agents",
    "bench/studies",
    "clock",
    "evaluate",
    "kinetix",
    "latency",
    "making",
    "manipulation",
    "registration",
    "request",
    "strategies",
    "utils/autoreset",
    "utils/batching",
    "utils/blocks",
    "utils/checks",
    "utils/compile",
    "utils/euler",
    "utils/infos",
    "utils/seeding",
    "utils/spaces",
    "utils/threads",
    "utils/types",
    "vector",
    "wrappers",
)
"""Rooms and modules of the package that decide the rows of every study; code and data."""
DECIDES_IF_IMPORTED = ("collect", "data", "realtime", "remote", "sb3", "testing", "training")
"""Rooms that decide the rows of a study whose own files import them."""
DECIDES_NOTHING = (
    "__init__",
    "bench",
    "bench/studies/schedules",
    "bench/studies/user_study",
    "cli",
    "course",
    "errors",
    "timeline",
    "utils/__init__",
    "utils/extras",
    "utils/files",
    "utils/lazy",
    "utils/moved",
    "utils/processes",
    "utils/rendering",
    "utils/user_files",
    "utils/video",
    "vector/decisions",
)
"""What runs studies, shows rows, or says what is wrong. Of two entries that fit a module the longer one counts."""
DATA = (".toml", ".json", ".xz", ".txt")
"""Levels, the weights of policies with their manifest, and recorded latencies."""


@functools.cache
def code() -> str:
    """A short fingerprint of all that decides rows: a policy that was edited must not find the old policy's rows."""
    return fingerprint(_files(DECIDES), PACKAGE)


def study_code(study: Study) -> dict[str, str]:
    """The fingerprint of a study's own files, outside this package: `study`, if it has any.

    These are the files of its functions and those that it names, what they import from their folder, and the rooms of
    `DECIDES_IF_IMPORTED` that one of them imports.
    """
    functions = (study.make_env, study.make_policy, study.play)
    sources = {_source(function) for function in functions if function is not None} | {*study.files}
    own = {file for source in sources if source for file in _neighbours(source)}
    if not own:
        return {}
    imported = [f"{name}." for file in own for name in _imports(file)]
    rooms = [room for room in DECIDES_IF_IMPORTED if any(name.startswith(f"chunkenv.{room}.") for name in imported)]
    return {"study": fingerprint([*sorted(own), *_files(rooms)], PACKAGE)}


def sources_of(study: Study) -> list[Path]:
    """The files in which a study's functions are written: that of `play` first."""
    functions = (study.play, study.make_policy, study.make_env)
    sources = [_source(function) for function in functions if function is not None]
    return [source for source in dict.fromkeys(sources) if source]


def entry_of(path: Path) -> str:
    """The entry of the three lists above for a file of the package; an empty string for one that is not listed.

    >>> entry_of(PACKAGE / "utils" / "seeding.py"), entry_of(PACKAGE / "bench" / "study.py")
    ('utils/seeding', 'bench')
    """
    name = path.relative_to(PACKAGE).with_suffix("").as_posix()
    entries = [each for each in (*DECIDES, *DECIDES_IF_IMPORTED, *DECIDES_NOTHING) if f"{name}/".startswith(f"{each}/")]
    return max(entries, key=len, default="")


def fingerprint(files: Iterable[Path], folder: Path) -> str:
    """Twelve hexadecimal digits that change with the name (relative to `folder`) or the content of any of the files.

    >>> fingerprint([], PACKAGE)
    'e3b0c44298fc'
    """
    digest = hashlib.sha256()
    for path in files:
        name = path.relative_to(folder) if path.is_relative_to(folder) else Path(path.name)
        digest.update(name.as_posix().encode())
        digest.update(_content(path))
    return digest.hexdigest()[:12]


def _files(rooms: Iterable[str]) -> list[Path]:
    """The code and the data of some rooms."""
    wanted = set(rooms)
    kinds = (".py", *DATA)
    return sorted(path for path in PACKAGE.rglob("*") if path.suffix in kinds and entry_of(path) in wanted)


def _content(path: Path) -> bytes:
    """What counts of a file; line endings do not count in text."""
    content = path.read_bytes()
    if path.suffix == ".py":
        return repr(_syntax(ast.parse(content))).encode()
    return content if path.suffix == ".xz" else content.replace(b"\r\n", b"\n")


def _syntax(node: object) -> object:
    r"""A syntax tree as nested tuples: no docstrings, no positions, no empty fields (which depend on Python's version).

    >>> _syntax(ast.parse("x = 1  # one")) == _syntax(ast.parse("'''Numbers.'''\nx = (1)"))
    True
    """
    if isinstance(node, list):
        return tuple(_syntax(each) for each in node if not _is_docstring(each))
    if not isinstance(node, ast.AST):
        return node
    fields = [(name, _syntax(value)) for name, value in ast.iter_fields(node)]
    return (type(node).__name__, *(field for field in fields if field[1] not in (None, ())))


def _is_docstring(node: object) -> bool:
    """Whether a statement is a text that does nothing: of a module, a class, a function, or below a constant."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _source(function: Callable[..., object]) -> Path | None:
    """The file that a function is written in, whatever decorates it, or an object's class; None for one typed in."""
    function = inspect.unwrap(getattr(function, "func", function))
    for written in (function, type(function)):
        with contextlib.suppress(TypeError):  # an object, or something that is built in
            file = inspect.getsourcefile(written)
            return Path(file).resolve() if file and Path(file).is_file() else None
    return None


def _neighbours(source: Path) -> set[Path]:
    """A file, and all that it imports from its own folder, directly or not."""
    found, todo = set[Path](), [source]
    while todo:
        file = todo.pop()
        if file in found or file.is_relative_to(PACKAGE):
            continue
        found.add(file)
        folders = {source.parent, file.parent}
        todo += [near for name in _imports(file) for folder in folders for near in _modules(folder, name)]
    return found


def _imports(file: Path) -> Iterator[str]:
    """The names of all modules that a file may import: of `from a import b` both `a` and `a.b`."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = [node.module] if node.module else []
            yield from names
            yield from (".".join([*names, alias.name]) for alias in node.names)


def _modules(folder: Path, name: str) -> list[Path]:
    """The files in a folder that importing a module runs: it and the packages around it."""
    parts = name.split(".")
    paths = [folder.joinpath(*parts[: count + 1]) for count in range(len(parts))]
    files = [file for path in paths for file in (path.with_suffix(".py"), path / "__init__.py")]
    return [file for file in files if file.is_file()]
