"""Models out of specs: plain data that goes through JSON."""

from __future__ import annotations

import importlib
import inspect
import operator
from collections.abc import Mapping
from typing import Any

from chunkenv.errors import ArgumentError, suggest
from chunkenv.latency.arguments import is_number
from chunkenv.latency.model import LatencyModel
from chunkenv.latency.names import MODELS


def from_spec(spec: Mapping[str, Any]) -> LatencyModel:
    """The model that a spec describes.

    Args:
        spec: `{"model": name, ...arguments}`; the name is one of `MODELS`, or `"package.module:Class"` for your own.

    Raises:
        ArgumentError: for a name or arguments that fit no model.

    >>> from_spec({"model": "lognormal", "median": 0.08, "sigma": 0.3})
    LogNormal(median=0.08, sigma=0.3)
    """
    if not isinstance(spec, Mapping) or "model" not in spec:
        raise ArgumentError(
            f'{spec!r} is not the spec of a latency model; write {{"model": "constant", "seconds": 0.05}}.'
        )
    model = _class_of(spec["model"])
    arguments = {name: _built(value) for name, value in spec.items() if name != "model"}
    try:
        inspect.signature(model).bind(**arguments)
    except TypeError as error:
        raise ArgumentError(f"{spec!r} does not fit {_signature(model)}: {error}.") from None
    return model(**arguments)


def model_of(name: str, value: Any) -> LatencyModel:
    """The model of an argument that may be one, or the spec of one.

    Raises:
        ArgumentError: if it is neither.
    """
    if isinstance(value, LatencyModel):
        return value
    if isinstance(value, Mapping):
        return from_spec(value)
    hint = f"write Constant({value!r})" if is_number(value) else "give a model or its spec"
    raise ArgumentError(f"{name}={value!r} is not a latency model; {hint}.")


def _built(value: Any) -> Any:
    """The other way: specs among the arguments become models."""
    if isinstance(value, Mapping) and "model" in value:
        return from_spec(value)
    if isinstance(value, list | tuple):
        return [_built(item) for item in value]
    return value


def _class_of(name: Any) -> type[LatencyModel]:
    """The class that a spec names."""
    if not isinstance(name, str) or (name not in MODELS and ":" not in name):
        raise ArgumentError(f"There is no latency model {name!r}; {suggest(name, MODELS)}")
    module, _, qualname = MODELS.get(name, name).partition(":")
    try:
        found: Any = operator.attrgetter(qualname)(importlib.import_module(module))
    except (ImportError, AttributeError, ValueError) as error:
        raise ArgumentError(
            f"The latency model {name!r} cannot be imported ({error}); write 'package.module:Class'."
        ) from error
    if not (isinstance(found, type) and issubclass(found, LatencyModel)):
        raise ArgumentError(f"{name!r} is not a subclass of chunkenv.latency.LatencyModel; make it one.")
    return found


def _signature(model: type[LatencyModel]) -> str:
    return f"{model.__name__}({', '.join(inspect.signature(model).parameters)})"
