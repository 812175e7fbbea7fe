"""What a user may write: YAML in, overrides and sweeps applied, checked, frozen runs out."""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import yaml

from workbench.arms import arm_hash, arm_label, make_run_id
from workbench.config_checks import check_together
from workbench.config_keys import as_record
from workbench.data.catalog import Kind, check_options, known_loader, known_set
from workbench.data.fetched import languages_of
from workbench.data.fingerprints import fingerprints
from workbench.errors import InputError
from workbench.records import SETTINGS, Plain, RunSpec, Settings, to_plain

MIRACL_DEPTH = 1000
"""Passages searched for in MIRACL's pools, whose exact ranks nobody can afford."""


@dataclass(frozen=True)
class Experiment:
    """A config with its sweep expanded."""

    settings: tuple[Settings, ...]
    """One for each run, in the order of the sweep's product."""
    swept: tuple[Mapping[str, Any], ...]
    """The swept keys and values of each."""


class StrictLoader(yaml.SafeLoader):
    """PyYAML's safe loader, which also refuses a key that stands twice, as it would silently lose the first, and
    aliases, which can make a mapping that holds itself."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "aliases are not allowed", self.peek_event().start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            name = self.construct_object(key_node, deep=True)
            if not isinstance(name, (str, int)):
                raise yaml.constructor.ConstructorError(None, None, "a key must be a word", key_node.start_mark)
            if name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {name!r} stands twice", key_node.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


def read_config(path: Path, overrides: Sequence[str] = ()) -> Experiment:
    """Read a YAML config, apply `a.b=c` overrides, expand its sweep, check every run.

    Raises
    ------
    InputError
        Names the file, the key, the bad value and what is allowed.
    """
    return expand(parse_yaml(read_text(path), str(path)), str(path), overrides)


def read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8: {error.reason} at byte {error.start}") from error


def parse_yaml(text: str, source: str, what: str = "a config") -> Plain:
    """A mapping; `what` is what errors call it."""
    try:
        content = yaml.load(text, StrictLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise InputError(f"{source}{place}: not valid YAML: {getattr(error, 'problem', None) or error}") from error
    except RecursionError as error:
        raise InputError(f"{source}: nested too deeply for {what}") from error
    if not isinstance(content, dict):
        raise InputError(f"{source}: {what} is a mapping of keys such as `name:`, not {type(content).__name__}")
    return content


def expand(content: Plain, source: str, overrides: Sequence[str] = ()) -> Experiment:
    """The runs of a config that is read already; `source` is what errors call it."""
    for override in overrides:
        apply_override(content, override)
    sweep = content.pop("sweep", None) or {}
    # a list of sweeps: one after the other, for runs that are no product
    sweeps = sweep if isinstance(sweep, list) else [sweep]
    settings, swept = [], []
    for one in sweeps:
        check_sweep(one, source)
        check_overrides(overrides, one)
        for point in itertools.product(*([(k, v) for v in values] for k, values in one.items())):
            plain = json.loads(json.dumps(content, default=str))
            for key, value in point:
                put(plain, key, value, source)
            settings.append(validate(plain, source, is_sweep=bool(sweep)))
            swept.append(dict(point))
    return Experiment(tuple(settings), tuple(swept))


def check_sweep(sweep: Any, source: str) -> None:
    if not isinstance(sweep, dict):
        raise InputError(
            f"{source}: sweep: give a list of values for each dotted key, or a list of such, not {sweep!r}"
        )
    for key, values in sweep.items():
        if not isinstance(values, list) or not values:
            raise InputError(f"{source}: sweep.{key}: give a list of values, not {values!r}")


def check_overrides(overrides: Sequence[str], sweep: Mapping[str, Any]) -> None:
    """Refuse an override that the sweep would silently put its own values over."""
    for override in overrides:
        key = override.partition("=")[0]
        for swept in map(str, sweep):
            if f"{key}.".startswith(f"{swept}.") or f"{swept}.".startswith(f"{key}."):
                named = key if key == swept else f"{key} ({swept})"
                instead = f"give its values by --set 'sweep.{swept}=[...]'"
                raise InputError(f"--set {override}: {named} is in the config's sweep; {instead}")


def apply_override(content: Plain, override: str) -> None:
    """Apply one `a.b=c`; the value is read as YAML."""
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise InputError(f"--set {override}: write it as dotted.key=value")
    try:
        parsed = yaml.load(value, StrictLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise InputError(f"--set {override}: the value is not valid YAML") from error
    if isinstance(parsed, dict) and not value.lstrip().startswith("{"):
        parsed = value  # a prefix such as `query: ` is text, though YAML takes it for a mapping
    if key.startswith("sweep."):
        # the swept keys are dotted themselves
        sweep = content.setdefault("sweep", {})
        if not isinstance(sweep, dict):
            raise InputError(f"--set {override}: the config has a list of sweeps; change it there")
        sweep[key.removeprefix("sweep.")] = parsed
    else:
        put(content, key, parsed, f"--set {override}")


def put(content: Plain, key: str, value: Any, source: str) -> None:
    """Set a dotted key, making the mappings on its way."""
    *parents, last = str(key).split(".")
    for parent in parents:
        below = content.get(parent)
        if below is None:
            below = content[parent] = {}
        if not isinstance(below, dict):
            raise InputError(f"{source}: {key}: {parent!r} holds a value, not keys")
        content = below
    content[last] = value


def validate(plain: Plain, source: str, *, is_sweep: bool = False) -> Settings:
    """One run's settings, checked; loaders and `keep` filled in."""
    settings = as_record(Settings, plain, source)
    check_together(settings, source)
    return with_loaders(settings, source, keep="nothing" if is_sweep else "model")


def with_loaders(settings: Settings, source: str, keep: Literal["model", "nothing"]) -> Settings:
    """Settings with each set's and task's loader named, so that a frozen config needs no guessing."""

    def known(kind: Kind, prefix: str, of: Mapping[str, Any]) -> dict[str, Any]:
        filled = {}
        for name, spec in of.items():
            key = f"{prefix}.{name}"
            try:
                loader = spec.loader or known_loader(kind, name, spec.path)
            except InputError as error:
                raise InputError(f"{source}: {key}: {error}") from error
            try:
                check_options(spec, loader, key)
            except InputError as error:
                raise InputError(f"{source}: {error}") from error
            if loader != "demo" and spec.path is None and not fetchable(name, kind):
                raise InputError(f"{source}: {key}.path: {loader} data need a path")
            filled[name] = replace(spec, loader=loader)
            if loader == "miracl" and spec.depth is None:
                filled[name] = replace(filled[name], depth=MIRACL_DEPTH)
        return filled

    tasks = known("task", "evaluate.tasks", settings.evaluate.tasks)
    settings = replace(settings, evaluate=replace(settings.evaluate, tasks=tasks), keep=settings.keep or keep)
    if settings.train is not None:
        sets = known("training", "train.sets", settings.train.sets)
        settings = replace(settings, train=replace(settings.train, sets=sets))
    return settings


def fetchable(name: str, kind: Kind) -> bool:
    known = known_set(name, kind)
    return known is not None and known.source is not None


def freeze(experiment: Experiment, folder: Path, now: datetime | None = None) -> list[RunSpec]:
    """The experiment's runs, named; `folder` is where relative paths start.

    Raises
    ------
    InputError
        A path is not there.
    """
    now = now or datetime.now(UTC)
    known: dict[str, dict[str, str]] = {}
    specs = []
    for given, swept in zip(experiment.settings, experiment.swept, strict=True):
        settings = with_languages(given)
        # the runs of a sweep read the same files over and over
        train = settings.train
        paths = json.dumps(
            to_plain([settings.model, settings.evaluate, train and train.sets, train and train.synthetic])
        )
        prints = known.get(paths) or known.setdefault(paths, fingerprints(settings, folder))
        label = arm_label(settings, swept)
        compared_hash = arm_hash(settings, prints)
        specs.append(
            RunSpec(
                run_id=make_run_id(now, label, settings.seed, compared_hash),
                arm=f"{label}-{compared_hash[:6]}",
                created=now.isoformat(timespec="milliseconds"),
                folder=str(folder.resolve()),
                fingerprints=prints,
                settings=settings,
            )
        )
    return specs


def with_languages(settings: Settings) -> Settings:
    """Settings whose lists of languages and settings are in order, and that name the languages of what was fetched.

    Sets that are fetched by language can be added to: a run, and its arm, must not change by that.
    """

    def named(name: str, spec: Any) -> Any:
        languages = languages_of(name, spec)
        return replace(spec, languages=None if languages is None else tuple(sorted(set(languages))))

    tasks = {
        name: replace(
            named(name, spec),
            settings=tuple(setting for setting in SETTINGS if setting in spec.settings),
            leave_out=tuple(sorted(set(spec.leave_out))),
        )
        for name, spec in settings.evaluate.tasks.items()
    }
    settings = replace(settings, evaluate=replace(settings.evaluate, tasks=tasks))
    if settings.train is not None:
        sets = {name: named(name, spec) for name, spec in settings.train.sets.items()}
        settings = replace(settings, train=replace(settings.train, sets=sets))
    return settings
