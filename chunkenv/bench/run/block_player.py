"""What every worker does, wherever it runs: it plays the blocks that it is sent."""

from __future__ import annotations

import contextlib
import functools
import pickle
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import NamedTuple

from chunkenv.bench.store.columns import UNKNOWN_DECISIONS, decision_name
from chunkenv.bench.store.declared_values import hold_row
from chunkenv.bench.study import Block, Study, Unit
from chunkenv.errors import ArgumentError, ChunkenvError, brief
from chunkenv.evaluate import DECISION, EPISODE, Row, check_env, check_policy, episode_seed, play_episode
from chunkenv.utils.processes import begin_worker


class Failure(NamedTuple):
    """Why a block has no rows: the sentence, and the traceback (empty for errors of chunkenv)."""

    sentence: str
    traceback: str


class BlockRows(NamedTuple):
    """What a block came to: the rows of its episodes, and of their decisions if the study keeps these."""

    rows: list[Row]
    decisions: list[Row]


class PackedStudy(NamedTuple):
    """A study on its way to a worker, with the folders in which its modules are found."""

    path: list[str]
    study: bytes


def pack_study(study: Study, dumps: Callable[[object], bytes] = pickle.dumps) -> PackedStudy:
    """The study for workers.

    Args:
        study: to be sent.
        dumps: how objects become bytes.

    Raises:
        ArgumentError: if it cannot be sent.
    """
    try:
        return PackedStudy(list(sys.path), dumps(study))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ArgumentError(
            f"the study {study.name!r} cannot be sent to workers ({error}); make its functions at the top level of a "
            "module, without lambda."
        ) from error


class BlockPlayer:
    """Plays blocks of one study.

    Args:
        packed: the study; it is unpacked with the first block, so that what goes wrong there is answered, too.
    """

    def __init__(self, packed: PackedStudy) -> None:
        self._packed = packed

    @functools.cached_property
    def _study(self) -> Study:
        sys.path += [folder for folder in self._packed.path if folder not in sys.path]
        return pickle.loads(self._packed.study)

    def answer(self, block: Block) -> BlockRows | Failure:
        """The block's rows, or why there are none."""
        try:
            decisions: list[Row] = []
            return BlockRows(play_block(self._study, block, decisions), decisions)
        except ChunkenvError as error:
            return Failure(str(error), "")
        except Exception as error:
            return Failure(f"{type(error).__name__}: {error}", traceback.format_exc())


def serve(packed: PackedStudy, connection: Connection) -> None:
    """Answer every block with its rows or a `Failure`, until the other end is closed or the parent process ends."""
    begin_worker()
    player = BlockPlayer(packed)
    with contextlib.suppress(EOFError, OSError):  # the other end is gone
        while True:
            connection.send(player.answer(connection.recv()))


def play_block(study: Study, block: Block, decisions: list[Row] | None = None) -> list[Row]:
    """The rows of a block, as the study plays it.

    Args:
        study: what is played.
        block: of it.
        decisions: where the rows of decisions are added, as they are stored, if the study keeps them.

    Raises:
        ArgumentError: if the study's own `play` returned something else than the rows of these episodes.
    """
    found: list[Row] = []
    if study.play is None:
        rows = [hold_row(play_alone(study, unit, found), study.columns.all) for unit in block.units]
    else:
        rows, found = _read_answer(study.play(block.cell, block.episodes, study.seed), study, block)
    if study.keep_decisions and decisions is not None:
        decisions += _convert_decisions(found, rows, study, block)
    return rows


def play_alone(study: Study, unit: Unit, decisions: list[Row]) -> Row:
    """One episode in an environment and with a policy of its own: nothing of other units can touch it."""
    assert study.make_env is not None, "the study's constructor demands it"
    assert study.make_policy is not None, "the study's constructor demands it"
    env, policy = study.make_env(unit.cell), study.make_policy(unit.cell)
    try:
        check_env(env)
        check_policy(policy)
        seed = episode_seed(study.seed, unit.episode)
        return play_episode(env, policy, seed, unit.episode, decisions if study.keep_decisions else None)
    finally:
        env.close()


def _read_answer(answer: object, study: Study, block: Block) -> tuple[list[Row], list[Row]]:
    """The rows that `play` returned, as they are kept, and those of decisions as it made them."""
    rows, decisions = answer, []
    if study.keep_decisions:
        if not isinstance(answer, tuple) or len(answer) != 2 or not isinstance(answer[1], list):
            kind = type(answer).__name__
            raise ArgumentError(
                f"play returned {kind} and the study keeps decisions; return (rows, decisions), two lists."
            )
        rows, decisions = answer
    if not isinstance(rows, list) or len(rows) != len(block.episodes):
        count = len(rows) if isinstance(rows, list) else type(rows).__name__
        raise ArgumentError(f"play returned {count} for {len(block.episodes)} episodes; return a list, a row for each.")
    seeds = (episode_seed(study.seed, episode) for episode in block.episodes)
    return [_convert_row(row, seed, study) for row, seed in zip(rows, seeds, strict=True)], decisions


def _convert_decisions(decisions: list[Row], rows: list[Row], study: Study, block: Block) -> list[Row]:
    """The rows of a block's decisions, as they are kept: as many of each episode as its row says."""
    held = [_convert_decision(row, study) for row in decisions]
    found = Counter(row["episode"] for row in held)
    for episode, row in zip(block.episodes, rows, strict=True):
        if found.pop(episode, 0) != row["decisions"]:
            raise ArgumentError(
                f"play returned other decisions of episode {episode} than its row counts, {row['decisions']}; return a "
                "row of each, as chunkenv.evaluate(..., decisions=...) makes them."
            )
    if found:
        raise ArgumentError(
            f"play returned decisions of episode {min(found)}, which it was not asked for; leave them out."
        )
    return held


def _convert_decision(row: object, study: Study) -> Row:
    """A decision's row, as it is kept."""
    if not isinstance(row, dict):
        raise ArgumentError(f"play returned {brief(row)} as the row of a decision; a row is a dict.")
    missing = [name for name in ("episode", *DECISION) if name not in row and name not in UNKNOWN_DECISIONS]
    unknown = [name for name in row if name not in ("episode", *DECISION)]
    if missing or unknown:
        what = f"without {missing[0]!r}" if missing else f"with {unknown[0]!r}"
        raise ArgumentError(f"play returned the row of a decision {what}; its keys are episode, {', '.join(DECISION)}.")
    stored = {decision_name(name): row.get(name) for name in DECISION}
    return hold_row({"episode": row["episode"], **stored}, study.columns.decisions)


def _convert_row(row: object, seed: int, study: Study) -> Row:
    """A row that `play` returned, as it is kept."""
    if not isinstance(row, dict):
        raise ArgumentError(f"play returned {brief(row)} as a row; a row is a dict with the keys of chunkenv.evaluate.")
    columns = study.columns.all
    needed, known = EPISODE.keys() - {"success"}, columns.keys() - study.columns.keys.keys() - {"episode"}
    if missing := sorted(needed - row.keys()):
        raise ArgumentError(f"play returned a row without {missing[0]!r}; a row has the keys of chunkenv.evaluate.")
    if unknown := [name for name in row if name not in known]:
        raise ArgumentError(f"play returned a row with {unknown[0]!r}, which is no column; name it in Study.results.")
    held = hold_row(row, columns)
    if held["seed"] != seed:
        raise ArgumentError(
            f"play returned a row with seed {held['seed']} where an episode of seed {seed} was asked for; rows come in "
            "the order of the episodes, and their seeds from chunkenv.evaluate.episode_seed."
        )
    return held
