"""How weights descend: Adam, AdamW, Muon and SPlus, with averaged weights or without."""

from typing import TYPE_CHECKING

from chunkenv.utils.lazy import lazy_exports

if TYPE_CHECKING:
    from chunkenv.agents.common.optim.averaging import averaged_weights, track_average
    from chunkenv.agents.common.optim.optimizers import (
        OPTIMIZERS,
        check_optimizer,
        make_optimizer,
        optimizer_facts,
        settings_facts,
        with_optimizer,
    )
    from chunkenv.agents.common.optim.splus import renew_bases, scale_by_splus

__all__ = [
    "OPTIMIZERS",
    "averaged_weights",
    "check_optimizer",
    "make_optimizer",
    "optimizer_facts",
    "renew_bases",
    "scale_by_splus",
    "settings_facts",
    "track_average",
    "with_optimizer",
]
__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "averaging": "averaged_weights track_average",
        "optimizers": "OPTIMIZERS check_optimizer make_optimizer optimizer_facts settings_facts with_optimizer",
        "splus": "renew_bases scale_by_splus",
    },
    "agents",
)
