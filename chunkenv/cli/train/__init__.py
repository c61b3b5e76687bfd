"""`chunkenv train`, one file a command: experts, policies that learn from them, and agents that decide chunks."""

import typer

from chunkenv.cli.train import (
    a2c2,
    annotations,
    cfgrl,
    co_rft,
    deflect,
    flow,
    infom,
    model,
    ppo,
    qc,
    remac,
    sharsa,
    vla,
)

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")
for command in (
    ppo.ppo,
    flow.flow,
    remac.remac,
    deflect.deflect,
    a2c2.a2c2,
    model.model,
    qc.qc,
    cfgrl.cfgrl,
    co_rft.co_rft,
    sharsa.sharsa,
    infom.infom,
    vla.vla,
    annotations.annotations,
):
    app.command()(command)


@app.callback()
def about() -> None:
    """Train experts, policies that learn from them, and agents that decide chunks."""
