"""`chunkenv data`, one file a command: collect episodes, look at them, check them, exchange them with Minari."""

import typer

from chunkenv.cli.data import check, collect, export, import_lerobot, import_minari, import_ogbench, info, render

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode="markdown", help="Collect trajectories, look at them, check them."
)
app.command("collect")(collect.collect)
app.command("info")(info.info)
app.command("check")(check.check)
app.command("render")(render.render)
app.command("export")(export.export)
app.command("import")(import_minari.import_minari)
app.command("import-ogbench")(import_ogbench.import_ogbench)
app.command("import-lerobot")(import_lerobot.import_lerobot)
