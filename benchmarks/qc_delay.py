"""The cost of inference delay for agents that choose chunks, and two remedies: the prefix in the state, and RTC.

    chunkenv bench run benchmarks/qc_delay.py
    python benchmarks/qc_delay.py results/qc-delay

trains one QC agent for each delay d and each seed with the prefix in its state, and one without, as `chunkenv train qc`
does, and plays them with their training delay:

- prefix: policy and critic observe the prefix.
- no prefix: they do not; the process is not Markov.
- no prefix, RTC: the same agent, but its candidates are inpainted around the prefix.
- surprised: the agent trained without delay; d + s is at most its chunk, so it decides more often.
- surprised, RTC: the same agent under Real-Time Chunking.

The agent trained without delay also plays at all execution horizons s, without delay, and under Real-Time Chunking
where rows of the previous chunk are left. Intervals are 95 %, from a bootstrap over seeds.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from qc_study import CHUNK, AgentCell, describe_rates, group, make_agent_study, make_cell, read_rows, repeat

from chunkenv.bench import Study

DELAYS = (1, 2, 5)
STEPS = {"offline_steps": 4000, "online_steps": 8000, "evaluate_every": 4000, "evaluation_episodes": 10}
AGENT = partial(make_cell, "cube-single-play", "qc", target_steps=5, **STEPS)


def make_study() -> Study:
    """All cells, with three training seeds: results/qc-delay."""
    return make_agent_study("qc-delay", repeat([*at_horizons(), *(cell for delay in DELAYS for cell in late(delay))]))


def at_horizons() -> Iterator[AgentCell]:
    """No delay, each execution horizon."""
    for horizon in range(1, CHUNK + 1):
        cell = replace(AGENT(method="no delay"), execution_horizon=horizon)
        yield cell
        if horizon < CHUNK:
            yield under_rtc(cell)


def late(delay: int) -> Iterator[AgentCell]:
    """All ways to play with a delay."""
    yield AGENT(method="prefix", trained_delay=delay)
    blind = AGENT(method="no prefix", trained_delay=delay, prefix=0)
    yield from (blind, under_rtc(blind))
    if delay < CHUNK:
        surprised = replace(AGENT(method="surprised"), delay=delay, execution_horizon=CHUNK - delay)
        yield from (surprised, under_rtc(surprised))


def under_rtc(cell: AgentCell) -> AgentCell:
    """The same agent, under Real-Time Chunking."""
    return replace(cell, way="rtc", method=f"{cell.method}, RTC")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of the study, such as results/qc-delay")
    print("| d | s | way | seeds | solved, % (each seed) |\n|---|---|---|---|---|")
    found = group(read_rows(parser.parse_args().folder), "delay", "execution_horizon", "method")
    for (delay, horizon, method), seeds in sorted(found.items()):
        print(f"| {delay} | {horizon} | {method} | {len(seeds)} | {describe_rates(seeds)} |")


if __name__ == "__main__":
    main()
