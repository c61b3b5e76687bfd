"""What can be wrong with one decision: each function returns a sentence, or None if all is well."""

from __future__ import annotations

import math

import numpy as np

from chunkenv.clock import bootstrap_discount, discounted_sum
from chunkenv.testing.expect import skip
from chunkenv.testing.random_rollouts import INFO_KEYS, Decision, Row, describe, row_of, rows_of, same_row

PER_TICK = ("rewards", "actions", "sources", "staleness", "observations")


def of_types(decision: Decision) -> str | None:
    """Flags are bool, the reward is a finite float."""
    for name in ("terminated", "truncated"):
        flag = getattr(decision, name)
        if not isinstance(flag, bool):
            return f"{name} is {flag!r} of {type(flag).__name__}; expected a bool."
    reward = decision.reward
    if not isinstance(reward, float) or not math.isfinite(reward):
        return f"the reward is {reward!r} of {type(reward).__name__}; expected a finite float."
    return None


def of_info(decision: Decision) -> str | None:
    """The counts in info are whole numbers of at least 0, and the discount is a share."""
    for key in INFO_KEYS:
        value = decision.info[key]
        if key == "discount":
            if not isinstance(value, float) or not 0.0 <= value <= 1.0:
                return f"info['discount'] is {value!r}; expected a float from 0 to 1."
        elif isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
            return f"info[{key!r}] is {value!r}; expected a whole number of at least 0."
    return None


def of_ticks(decision: Decision) -> str | None:
    """info['ticks'] is the number of ticks played."""
    played, reported = len(decision.played), decision.info["ticks"]
    if reported == played:
        return None
    return f"info['ticks'] is {reported}; expected {played}, the control steps really played."


def of_prefix(decision: Decision) -> str | None:
    """The prefix is what will run of `left_over` in the ticks of the estimate."""
    request = decision.request
    length = min(request.delay_estimate, len(decision.left))
    if request.prefix_length != length:
        rows = f"{len(decision.left)} rows left and delay_estimate={request.delay_estimate}"
        return f"prefix_length is {request.prefix_length}; expected {length}, with {rows} (real rows only)."
    prefix = rows_of(request.prefix, request.left_over)
    return _rows_difference(decision.left[:length], prefix, "prefix")


def of_left_over(decision: Decision) -> str | None:
    """What is left is the end of the previous chunk: never filling."""
    count = len(decision.left)
    if count > len(decision.previous):
        return f"left_over has {count} rows; expected at most the {len(decision.previous)} of the previous chunk."
    return _rows_difference(decision.previous[len(decision.previous) - count :], decision.left, "left_over")


def _rows_difference(expected: list[Row], actual: list[Row], name: str) -> str | None:
    if len(expected) != len(actual):
        return f"{name} has {len(actual)} rows; expected {len(expected)}."
    for index, (want, got) in enumerate(zip(expected, actual, strict=True)):
        if not same_row(want, got):
            return f"row {index} of {name} is {describe(got)}; expected {describe(want)}, the previous chunk's row."
    return None


def of_executed_prefix(decision: Decision) -> str | None:
    """The first ticks execute the rows that were left."""
    return _played_difference(decision, decision.left[: decision.prefix_played], start=0, whose="left_over row")


def of_cycle(decision: Decision, overlap: bool) -> str | None:
    """The next request comes after max(s, delay) ticks (overlap), or delay + s (synchronous)."""
    s, delay, ticks = decision.request.execution_horizon, decision.info["delay"], decision.info["ticks"]
    expected = max(s, delay) if overlap else delay + s
    if decision.ended or ticks == expected:
        return None
    return f"the next request came after {ticks} ticks; expected {expected} (execution_horizon {s}, delay {delay})."


def of_executed_chunk(decision: Decision, overlap: bool) -> str | None:
    """After the delay the chunk's rows run: from row `delay` on (overlap), or from row 0 on (synchronous)."""
    if fault := of_cycle(decision, overlap):  # a robot that waits as one kind and executes as the other is neither
        return fault
    delay = decision.info["delay"]
    rows = decision.rows[delay:] if overlap else decision.rows
    return _played_difference(decision, rows, start=delay, whose="row of the new chunk")


def _played_difference(decision: Decision, rows: list[Row], start: int, whose: str) -> str | None:
    for index, (want, tick) in enumerate(zip(rows, decision.played[start:], strict=False)):
        if not same_row(want, row_of(tick.action)):
            executed = f"tick {start + index} executed {describe(row_of(tick.action))}"
            return f"{executed}; expected {describe(want)}, the {whose} (delay {decision.info['delay']})."
    return None


def of_underruns(decision: Decision) -> str | None:
    """Ticks without a row are those of the delay that had none of the previous chunk."""
    delay, ticks = decision.info["delay"], decision.info["ticks"]
    expected = min(delay, ticks) - decision.prefix_played + decision.stopped
    if decision.info["underruns"] == expected:
        return None
    rows = f"{ticks} ticks, delay {delay}, {len(decision.left)} rows left"
    return f"info['underruns'] is {decision.info['underruns']}; expected {expected} ({rows})."


def of_rows(decision: Decision, later: Decision) -> str | None:
    """Every row is executed, discarded or left."""
    info = decision.info
    had = len(decision.left) + len(decision.rows)
    went = info["ticks"] - info["underruns"] + info["discarded"] + len(later.left)
    if decision.ended or had == went:
        return None
    fate = f"{info['ticks'] - info['underruns']} executed, {info['discarded']} discarded, {len(later.left)} left"
    return f"of {had} rows {fate}; expected these to add up."


def of_tick(decision: Decision, later: Decision) -> str | None:
    """The clock of requests goes on by the ticks played."""
    expected = decision.request.tick + decision.info["ticks"]
    if decision.ended or later.request.tick == expected:
        return None
    return f"request.tick is {later.request.tick}; expected {decision.request.tick} + info['ticks'] = {expected}."


def of_discount(decision: Decision, discount: float) -> str | None:
    """What the next value is multiplied by."""
    ticks, reported = decision.info["ticks"], decision.info["discount"]
    expected = bootstrap_discount(discount, ticks, bool(decision.terminated))
    if math.isclose(reported, expected, rel_tol=1e-9, abs_tol=1e-300):
        return None
    flags = f"terminated={decision.terminated}, truncated={decision.truncated}"
    return f"info['discount'] is {reported!r}; expected {expected!r}, with {discount!r} a tick, {ticks} ticks, {flags}."


def of_reward(decision: Decision, discount: float) -> str | None:
    """The reward is the discounted sum of the ticks' rewards."""
    rewards = [tick.reward for tick in decision.played]
    expected = discounted_sum(rewards, discount) if rewards else 0.0
    if math.isclose(decision.reward, expected, rel_tol=1e-6, abs_tol=1e-9):
        return None
    return f"the reward is {decision.reward!r}; expected {expected!r}, the sum of {discount!r}**i * r_i of {rewards}."


def of_end(decision: Decision) -> str | None:
    """An end inside a chunk is the decision's end."""
    flags = [(tick.terminated, tick.truncated) for tick in decision.played]
    for index, (terminated, truncated) in enumerate(flags[:-1]):
        if terminated or truncated:
            return f"{len(flags) - 1 - index} ticks ran past the end of the episode; expected none."
    terminated, truncated = flags[-1] if flags else (False, False)
    if terminated is not None and (decision.terminated != terminated or (truncated and not decision.truncated)):
        actual = f"terminated={decision.terminated}, truncated={decision.truncated}"
        return f"{actual}; expected the flags of the last tick, terminated={terminated}, truncated={truncated}."
    return None


def of_delay_estimate(decision: Decision) -> str | None:
    """An oracle knows the delay."""
    estimate, delay = decision.request.delay_estimate, decision.info["delay"]
    return None if estimate == delay else f"delay_estimate was {estimate}; expected {delay}, the delay that came."


def of_account(decision: Decision) -> str | None:
    """The accounts per tick have an item for each tick, and are true."""
    info = decision.info
    if not any(key in info for key in PER_TICK):
        skip(f"info has none of {PER_TICK}; make the environment with info='full' to have them checked.")
    return next(filter(None, (account(decision) for account in (_of_lengths, _of_played, _of_sources))), None)


def _of_lengths(decision: Decision) -> str | None:
    info, ticks = decision.info, decision.info["ticks"]
    lengths = {key: len(info[key]) for key in PER_TICK if key in info}
    wrong = (f"info[{key!r}] has {length} items" for key, length in lengths.items() if length != ticks)
    return next((f"{sentence}; expected {ticks}, one a tick." for sentence in wrong), None)


def _of_played(decision: Decision) -> str | None:
    info, played = decision.info, decision.played
    for index, tick in enumerate(played):
        if "actions" in info and not same_row(row_of(tick.action), row_of(info["actions"][index])):
            reported, executed = describe(row_of(info["actions"][index])), describe(row_of(tick.action))
            return f"info['actions'][{index}] is {reported}; expected {executed}, which was executed."
        if "rewards" in info and float(info["rewards"][index]) != tick.reward:
            return f"info['rewards'][{index}] is {info['rewards'][index]}; expected {tick.reward}."
    return None


def _of_sources(decision: Decision) -> str | None:
    if "sources" not in decision.info:
        return None
    found = (_of_source(decision, tick) for tick in range(decision.info["ticks"]))
    return next(filter(None, found), None) or _of_unmarked_underruns(decision)


def _of_source(decision: Decision, tick: int) -> str | None:
    """The source of one tick is where its action came from."""
    age, row = (int(number) for number in decision.info["sources"][tick])
    if (age, row) == (-1, -1):
        return _of_staleness(decision, tick, -1)
    chunk = {0: decision.rows, 1: decision.previous}.get(age, [])
    if not 0 <= row < len(chunk):
        return f"info['sources'][{tick}] is ({age}, {row}); expected a chunk and row that exist, or (-1, -1)."
    executed = row_of(decision.played[tick].action)
    if not same_row(chunk[row], executed):
        source = f"({age}, {row}), which holds {describe(chunk[row])}"
        return f"info['sources'][{tick}] is {source}; expected the source of {describe(executed)}, which was executed."
    return _of_staleness(decision, tick, tick if age == 0 else row)


def _of_staleness(decision: Decision, tick: int, expected: int) -> str | None:
    reported = decision.info.get("staleness")
    if reported is None or reported[tick] == expected:
        return None
    return f"info['staleness'][{tick}] is {reported[tick]}; expected {expected}."


def _of_unmarked_underruns(decision: Decision) -> str | None:
    """As many ticks have no source as there are underruns."""
    without = int((np.asarray(decision.info["sources"]).reshape(-1, 2)[:, 0] == -1).sum()) + decision.stopped
    reported = decision.info["underruns"]
    return None if without == reported else f"{without} ticks have no source; expected info['underruns'] = {reported}."
