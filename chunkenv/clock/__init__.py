"""The arithmetic of chunks, delays and discounts: the only place that has it.

Time is an integer tick, one control step of the environment. At tick t an inference starts from the observation of
t; it takes `delay` ticks; its chunk has H rows, row i meant for tick t + i. Its *cycle* lasts until the next request:

    overlap:      the rows left of the previous chunk run while the inference is under way (the prefix), then the new
                  chunk from row `delay` on; the next request comes after max(s, delay) ticks
    no overlap:   nothing is planned for `delay` ticks, then rows 0 .. s-1 run; the next request comes after delay + s
    underrun:     a tick with no row left

For constant delay <= s <= H - delay this is Real-Time Chunking's rule `prev[:d] + new[d:s]`, shifted by s (Black et
al. 2025, arXiv 2506.07339), from the second cycle on. A row runs at its own tick or never (overlap).

Each tick is, in this order: (1) arrivals, (2) a request if one is due, (3) a row. There are three clocks:

    ChunkClock    from request to request, as a simulation goes, which knows the delay beforehand; one inference at a
                  time, whole chunks
    TickClock     from tick to tick; learns a delay when the chunk arrives. It also knows several inferences in flight,
                  of which the newest that has arrived acts, and chunks whose rows come one by one
    FlightClock   from request to request, with all that `TickClock` knows
"""

from chunkenv.clock.chunk_clock import ChunkClock
from chunkenv.clock.cycle import UNDERRUN, Cycle, Source, Steady, plan_cycle
from chunkenv.clock.flight_clock import FlightClock, Schedule
from chunkenv.clock.settings import Horizon
from chunkenv.clock.sums import bootstrap_discount, discounted_sum, discounted_sums, ticks
from chunkenv.clock.tick_clock import Delay, Inference, TickClock, first_usable

__all__ = [
    "UNDERRUN",
    "ChunkClock",
    "Cycle",
    "Delay",
    "FlightClock",
    "Horizon",
    "Inference",
    "Schedule",
    "Source",
    "Steady",
    "TickClock",
    "bootstrap_discount",
    "discounted_sum",
    "discounted_sums",
    "first_usable",
    "plan_cycle",
    "ticks",
]
