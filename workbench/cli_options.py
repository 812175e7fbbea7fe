"""Options that commands share."""

from pathlib import Path
from typing import Annotated

import typer

Store = Annotated[Path, typer.Option("--store", help="The DuckDB file with all results.")]
Runs = Annotated[Path, typer.Option("--runs", help="The folder of the run directories.")]
Json = Annotated[bool, typer.Option("--json", help="Print a list of objects.")]
Sets = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a config key; repeatable.")
]
Jobs = Annotated[int | None, typer.Option(min=1, help="Runs that work at once; default one, or one per GPU.")]
Detach = Annotated[bool, typer.Option("--detach", help="Return at once; the runs go on.")]
Arms = Annotated[list[str], typer.Argument(metavar="ARM...", help="An arm's name, its beginning, or one of its runs.")]
Measure = Annotated[str, typer.Option(help="map, map@k, mrr, recall@k, ndcg@k or rank_distance.")]
Task = Annotated[str | None, typer.Option(help="One of the arms' tasks; default each that they have in common.")]
