"""A worker process: plays the units that it is sent, and goes when its parent goes."""

from __future__ import annotations

import traceback
from multiprocessing.connection import Connection
from typing import NamedTuple

from chunkenv.bench.study import Study, Unit
from chunkenv.errors import ChunkenvError
from chunkenv.evaluate import Row, check_env, check_policy, episode_seed, play_episode
from chunkenv.workers import begin_worker


class Failure(NamedTuple):
    """Why a unit has no row: the sentence, and where it was raised (empty for errors that speak for themselves)."""

    sentence: str
    traceback: str


def serve(study: Study, connection: Connection) -> None:
    """Answer every unit with its row or a `Failure`, until the other end is closed."""
    begin_worker()
    while True:
        try:
            unit = connection.recv()
        except EOFError:
            return
        connection.send(_answer(study, unit))


def play(study: Study, unit: Unit) -> Row:
    """One episode in an environment and with a policy of its own: nothing of other units can touch it."""
    env, policy = study.make_env(unit.cell), study.make_policy(unit.cell)
    try:
        check_env(env)
        check_policy(policy)
        return play_episode(env, policy, episode_seed(study.seed, unit.episode))
    finally:
        env.close()


def _answer(study: Study, unit: Unit) -> Row | Failure:
    try:
        return play(study, unit)
    except ChunkenvError as error:
        return Failure(str(error), "")
    except Exception as error:
        return Failure(f"{type(error).__name__}: {error}", traceback.format_exc())
