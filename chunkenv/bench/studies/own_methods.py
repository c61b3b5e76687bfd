"""A strategy or a policy in a file of a user, as one more method of a shipped study."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chunkenv.bench.studies.methods import METHODS, Method, play_method
from chunkenv.bench.studies.user_study import call_of_file
from chunkenv.errors import ActionError, ArgumentError
from chunkenv.strategies import Naive
from chunkenv.utils.user_files import MadeInFile

FIRST_TRY = {"execution_horizon": 4, "latency": 4}
"""The schedule of the episode that is played before the study begins."""


@dataclass(frozen=True)
class BatchesOf:
    """Makes what a file makes, able to answer many requests; it goes to other processes as the name of the file.

    Args:
        make: takes a flow policy, or the name of a level.
    """

    make: MadeInFile

    def __call__(self, given: Any) -> Any:
        """What answers many requests (a `BatchPolicy`), by itself or one after the other.

        Raises:
            ArgumentError: there is no such object in the file, or it made nothing with `infer_batch` or `infer`. What
                the file itself raises is passed on.
        """
        made = self.make(given)
        return made if callable(getattr(made, "infer_batch", None)) else Naive(made)


def own_methods(strategies: Sequence[str] = (), policies: Sequence[str] = ()) -> dict[str, Method]:
    """The methods that files of a user add, by name.

    A name is that of the class or function, in hyphens: CrossFade is cross-fade.

    Args:
        strategies: `FILE.py:OBJECT` or `NAME=FILE.py:OBJECT`, a class or function of a flow policy, which returns
            something with `infer_batch` or `infer`. It is given the plain policy of the level, or that of the kind
            which its attribute `weights` names: "prefix".
        policies: the same, a function of a level's name that returns a policy for compact observations.

    Raises:
        ArgumentError: a text that is no such place, or a name that stands already.
        StudyError: a file that cannot be imported; with the traceback.
    """
    options = [("--strategy", text) for text in strategies] + [("--policy", text) for text in policies]
    found: dict[str, Method] = {}
    for option, text in options:
        name, make = _read_place(text)
        if name in METHODS or name in found:
            raise ArgumentError(
                f"{option} {text!r}: there is a method {name!r} already; give yours another name, "
                f"{option} NAME=FILE.py:OBJECT."
            )
        made = call_of_file(make.file, make.load)
        weights = getattr(made, "weights", "plain") if option == "--strategy" else ""
        found[name] = Method(weights, BatchesOf(make))
    return found


def files_of(own: Mapping[str, Method]) -> tuple[Path, ...]:
    """The files of `own_methods`; methods that are made otherwise have none."""
    made = (method.strategy for method in own.values())
    return tuple(dict.fromkeys(strategy.make.file for strategy in made if isinstance(strategy, BatchesOf)))


def try_methods(own: Mapping[str, Method], task: str, policies: str) -> None:
    """Play an episode by each, so that a mistake in a file is found before a study begins.

    Args:
        own: methods of `own_methods`.
        task: name of a level.
        policies: the family of flow policies.

    Raises:
        ArgumentError: what a file made cannot be played.
        StudyError: its code failed; with the traceback.
    """
    for name, method in own.items():
        (file,) = files_of({name: method})
        try:
            call_of_file(file, lambda method=method: play_method(task, method, [0], 0, policies, **FIRST_TRY))
        except (ActionError, ArgumentError) as error:
            raise ArgumentError(f"{file.name}, the method {name!r}: {error}") from error


def _read_place(text: str) -> tuple[str, MadeInFile]:
    """The name of a method, and what makes it."""
    given = re.match(r"([\w.-]+)=", text)
    make = MadeInFile(Path(text[given.end() :] if given else text))
    return given[1] if given else _in_hyphens(make.name), make


def _in_hyphens(name: str) -> str:
    """The name of a class or function as the names of methods are written.

    >>> _in_hyphens("CrossFade"), _in_hyphens("make_policy"), _in_hyphens("MyRTC")
    ('cross-fade', 'make-policy', 'my-rtc')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).replace("_", "-").lower()
