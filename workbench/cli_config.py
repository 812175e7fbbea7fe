"""The commands about configs: `workbench config ...`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.cli_options import Json, Sets

config_app = typer.Typer(help="Look at configs without running them.", no_args_is_help=True)


@config_app.command("check")
def config_check(
    config: Annotated[Path, typer.Argument(help="A YAML config.")],
    sets: Sets = None,
    as_json: Json = False,
) -> None:
    """Check a config and print the runs that it stands for, with every key."""
    import yaml

    from workbench.config import freeze, read_config
    from workbench.records import to_plain

    plain: list[dict[str, Any]] = [to_plain(spec) for spec in freeze(read_config(config, sets or ()), Path.cwd())]
    print(
        json.dumps(plain, indent=1, ensure_ascii=False)
        if as_json
        else yaml.safe_dump(plain, sort_keys=False, allow_unicode=True),
        end="",
    )


@config_app.command("reference")
def config_reference(as_json: Json = False) -> None:
    """Print every key of a config: type, default, what it means."""
    from workbench.config_keys import reference
    from workbench.reports.output import emit

    emit(reference(), as_json)
