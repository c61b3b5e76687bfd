"""Names of a package that are imported when they are first asked for, so that importing the package stays light."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping

from chunkenv.utils.extras import missing_extra


def lazy_exports(
    package: str, modules: Mapping[str, str], extra: str = ""
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """The functions `__getattr__` and `__dir__` of a package (PEP 562).

    Args:
        package: its `__name__`.
        modules: each submodule, and the public names that it defines, with spaces between them.
        extra: the extra that installs what the submodules need; named where something is missing.

    Raises:
        MissingExtraError: (by `__getattr__`) what a submodule needs is not installed.

    >>> get, _ = lazy_exports("chunkenv.utils", {"lazy": "lazy_exports"})
    >>> get("lazy_exports") is lazy_exports
    True
    """
    places = {name: module for module, names in modules.items() for name in names.split()}

    def get(name: str) -> object:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(_import(f"{package}.{places[name]}", extra), name)
        setattr(sys.modules[package], name, value)
        return value

    return get, lambda: sorted({*vars(sys.modules[package]), *places})


def _import(module: str, extra: str) -> object:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if not extra or missing == "chunkenv":
            raise
        raise missing_extra(f"{missing} is", extra) from error
