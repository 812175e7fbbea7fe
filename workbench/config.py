"""What a user may write: YAML in, overrides and sweeps applied, strict models, frozen runs out.

The models are derived from the records in `records.py`, the one place where a key's type, default, limits and line of
doc stand.
"""

import dataclasses
import hashlib
import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model

from workbench.data.catalog import Kind, check_options, known_loader, known_set
from workbench.data.fetched import languages_of
from workbench.data.fingerprints import fingerprints
from workbench.errors import InputError, allowed
from workbench.records import SETTINGS, RunSpec, Settings, from_plain, to_plain

NOT_IN_ARM = (
    "seed",
    "device",
    "threads",
    "keep",
    "train.checkpoint_every",
    "evaluate.batch_tokens",
    "evaluate.memory_gib",
)
"""Keys that change where and how fast a run works, or its seed, but not what is compared."""

Plain = dict[str, Any]
T = TypeVar("T")

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


@cache
def model_of(record: type) -> type[BaseModel]:
    """The strict pydantic model of a record type: same keys, defaults, docs and limits; unknown keys refused."""
    hints = get_type_hints(record)
    definitions: dict[str, Any] = {}
    for entry in fields(record):
        doc, limits = entry.metadata["doc"], dict(entry.metadata["limits"])
        if entry.default is not MISSING:
            limits["default"] = entry.default
        elif entry.default_factory is not MISSING:
            limits["default_factory"] = model_of(entry.default_factory)  # type: ignore[arg-type]
        definitions[entry.name] = (in_models(hints[entry.name]), Field(description=doc, **limits))
    config = ConfigDict(extra="forbid", allow_inf_nan=False)
    return create_model(record.__name__, __config__=config, __doc__=record.__doc__, **definitions)


def in_models(kind: Any) -> Any:
    """A record's type with models in place of records."""
    origin, args = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return model_of(kind)  # type: ignore[arg-type]
    if origin in (UnionType, Union):
        return Union[tuple(in_models(arg) for arg in args)]  # noqa: UP007  (built from a tuple)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return dict[str, in_models(args[1])]  # type: ignore[misc]
    if origin is tuple:
        return tuple[in_models(args[0]), ...]  # type: ignore[misc]
    return Annotated[kind, BeforeValidator(no_truth_value)] if kind in (int, float) else kind


def no_truth_value(value: Any) -> Any:
    """Python takes `true` for 1; a config does not."""
    if isinstance(value, bool):
        raise ValueError("a number is needed")
    return value


def validate(plain: Plain, source: str, *, is_sweep: bool = False) -> Settings:
    """One run's settings, checked; loaders and `keep` filled in."""
    settings = as_record(Settings, plain, source)
    check_together(settings, source)
    return with_loaders(settings, source, keep="nothing" if is_sweep else "model")


def as_record(record: type[T], plain: Plain, source: str) -> T:
    """What a user wrote as a record of some type; unknown keys, wrong types and values beyond limits are refused.

    Raises
    ------
    InputError
        A line for each thing that is wrong, with `source`, the key, the value and what is allowed.
    """
    try:
        model = model_of(cast(type, record)).model_validate(plain)
    except ValidationError as error:
        raise InputError("\n".join(f"{source}: {line}" for line in messages(error, record))) from error
    return cast(T, from_plain(record, model.model_dump()))


def messages(error: ValidationError, record: type) -> Iterator[str]:
    """One line for each thing that is wrong: key, value, what is allowed."""
    for problem in error.errors(include_url=False):
        where = [str(part) for part in problem["loc"]]
        key, value = ".".join(where), problem["input"]
        if problem["type"] == "extra_forbidden":
            yield f"{key}: unknown key; {allowed(where[-1], keys_at(where[:-1], record))}"
        elif problem["type"] == "missing":
            yield f"{key}: this key is needed"
        elif problem["type"] == "literal_error":
            options = [
                option.strip().strip("'") for option in problem["ctx"]["expected"].replace(" or ", ", ").split(",")
            ]
            yield f"{key}: {value!r} is not allowed; {allowed(value, options)}"
        elif problem["type"] == "tuple_type":
            yield f"{key}: {value!r}: give a list, such as [{value}]"
        else:
            words = problem["msg"].removeprefix("Value error, ")
            yield f"{key}: {value!r}: {words[0].lower()}{words[1:]}"


def keys_at(where: Sequence[str], record: type) -> list[str]:
    """The keys that may stand at a place in what is read as a `record`."""
    kind: Any = record
    for name in where:
        # a mapping's values, or the items of a list, whose type is written `tuple[item, ...]`
        inside = get_args(kind)[0 if get_origin(kind) is tuple else 1 :]
        kind = get_type_hints(kind).get(name) if is_dataclass(kind) else inside[0]
        kind = (
            next((arg for arg in get_args(kind) if is_dataclass(arg)), kind)
            if get_origin(kind) in (UnionType, Union)
            else kind
        )
    sweep = ["sweep"] if kind is Settings else []
    return [entry.name for entry in fields(kind)] + sweep if is_dataclass(kind) else []


def check_together(settings: Settings, source: str) -> None:
    """What single keys cannot say."""
    train = settings.train
    names = {"evaluate.tasks": list(settings.evaluate.tasks), "train.sets": list(train.sets if train else ())}
    for key, given in names.items():
        for name in given:
            if not re.fullmatch(r"[\w-]+", name):
                raise InputError(f"{source}: {key}: the name {name!r}; allowed: letters, digits, _ and -")
    for name, task in settings.evaluate.tasks.items():
        if task.index != "auto" and task.depth is None and (task.loader or name) != "miracl":
            raise InputError(
                f"{source}: evaluate.tasks.{name}.index: an index needs a depth, evaluate.tasks.{name}.depth"
            )
    if train is None:
        return
    if (train.steps is None) == (train.epochs is None):
        raise InputError(f"{source}: train: give either steps or epochs")
    for name, of in train.sets.items():
        if of.languages is not None and len(set(of.languages)) != len(of.languages):
            raise InputError(f"{source}: train.sets.{name}.languages: a language stands twice")


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
        paths = json.dumps(
            [to_plain(settings.model), to_plain(settings.evaluate), to_plain(settings.train and settings.train.sets)]
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


def make_run_id(now: datetime, label: str, seed: int, arm_hash: str) -> str:
    """A name that sorts by time (`now` knows its time zone) and reads by eye: `20261122-1403-hybrid-a50-s0-7f3c`."""
    return f"{now.astimezone(UTC):%Y%m%d-%H%M}-{label}-s{seed}-{arm_hash[:4]}"


def arm_label(settings: Settings, swept: Mapping[str, Any]) -> str:
    """The readable part of an arm's name: its sampling, or its checkpoint, and what else is swept."""
    if settings.train is None:
        path = Path(settings.model.checkpoint)
        # a run keeps its model in `<run_id>/model`, which says little by itself
        label = f"checkpoint-{path.parent.name if path.name == 'model' else path.name}"
    else:
        sampling = settings.train.sampling
        alpha = f"-a{round(100 * sampling.alpha):02d}" if sampling.strategy in ("hybrid", "mixed") else ""
        label = sampling.strategy + alpha
    unnamed = ("seed", "train.sampling.strategy", "train.sampling.alpha")
    # a swept mapping, such as a whole `train`, is no word; the hash tells such arms apart
    shown = {k: v for k, v in swept.items() if k not in unnamed and not isinstance(v, Mapping)}
    parts = [label, *(f"{key.rsplit('.', 1)[-1]}-{Path(str(value)).name}" for key, value in shown.items())]
    return re.sub(r"[^a-z0-9._]+", "-", "-".join(parts).lower()).strip("-")[:60]


def arm_hash(settings: Settings, prints: Mapping[str, str]) -> str:
    """What two runs have in common that are of one arm."""
    return hash_of({"settings": compared(settings, prints), "fingerprints": dict(prints)})


def compared(settings: Settings, prints: Mapping[str, str]) -> Plain:
    """The settings without what does not change the comparison; a path gives way to its fingerprint.

    Keys at their default are left out, so that a key that a later version adds leaves the arms as they are.
    """
    plain: Plain = changed(settings)
    # beside `evaluate.tasks.<name>` and `train.sets.<name>`, whatever the name, keys are those of single settings
    is_set = re.compile(r"(evaluate\.tasks|train\.sets)\.[^.]+").fullmatch
    places = [f"{key}.path" if is_set(key) else key for key in prints]
    for dotted in (*NOT_IN_ARM, *places):
        *parents, last = dotted.split(".")
        place: Any = plain
        for parent in parents:
            place = place.get(parent) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place.pop(last, None)
    return plain


def changed(value: Any) -> Any:
    """As `to_plain`, of each record only the keys whose values are not the default."""
    if is_dataclass(value) and not isinstance(value, type):
        given = {entry: getattr(value, entry.name) for entry in fields(value)}
        return {entry.name: changed(part) for entry, part in given.items() if part != default_of(entry)}
    if isinstance(value, Mapping):
        return {str(name): changed(part) for name, part in value.items()}
    return to_plain(value)


def default_of(entry: dataclasses.Field[Any]) -> Any:
    return entry.default if entry.default_factory is MISSING else entry.default_factory()


def hash_of(plain: Plain) -> str:
    """12 hexadecimal digits of a canonical form."""
    return hashlib.blake2b(json.dumps(plain, sort_keys=True).encode(), digest_size=6).hexdigest()


def reference() -> list[Plain]:
    """Every key of a config in the order of the records: key, type, default, what it means."""
    return list(reference_of(Settings, ""))


def reference_of(record: type, prefix: str) -> Iterator[Plain]:
    hints = get_type_hints(record)
    for entry in fields(record):
        key, kind = prefix + entry.name, hints[entry.name]
        below = next((part for part in (kind, *get_args(kind)) if is_dataclass(part)), None)
        if below is not None:
            name = "<name>." if get_origin(kind) not in (UnionType, Union, None) else ""
            yield from reference_of(below, f"{key}.{name}")  # type: ignore[arg-type]
            continue
        default = "needed" if entry.default is MISSING else plain_default(entry.default)
        yield {"key": key, "type": type_name(kind), "default": default, "meaning": entry.metadata["doc"]}


def plain_default(value: Any) -> str:
    return "none" if value is None else ", ".join(value) if isinstance(value, tuple) else str(value)


def type_name(kind: Any) -> str:
    """A type as a user writes it: `mean | cls`, `list of text`."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " | ".join(str(arg) for arg in args)
    if origin in (UnionType, Union):
        return " | ".join(type_name(arg) for arg in args if arg is not NoneType)
    if origin is tuple:
        return f"list of {type_name(args[0])}"
    return {str: "text", int: "whole number", float: "number"}.get(kind, str(kind))
