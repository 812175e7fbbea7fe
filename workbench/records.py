"""The frozen types that cross module borders. Standard library only, so that both sides and a bare machine read them.

`Settings` and what hangs from it are the config reference: a key has a type, a default and one line of doc, and
`config.py` derives its strict models from them. A run's frozen `config.yaml` is one `RunSpec`.
"""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from typing import Any, Literal

Plain = dict[str, Any]
"""A record as YAML and JSON have it."""

Progress = Callable[[str, int, int], None]
"""Told (stage, done, total) as work goes on; may raise to stop it."""
Setting = Literal["monolingual", "cross_lingual", "multilingual"]
Strategy = Literal["english", "pooled", "mono", "cross", "hybrid", "mixed"]
TaskLoader = Literal["demo", "lareqa", "tydiqa", "tydiqa_primary", "xor_tydi", "beir", "miracl"]
TranslatorKind = Literal["nllb", "m2m100", "marian", "command"]
TrainingLoader = Literal["demo", "parquet", "jsonl", "tsv", "squad", "mmarco", "mr_tydi", "dpr"]
State = Literal["queued", "preparing", "training", "evaluating", "finished", "failed", "stopped", "lost"]

SETTINGS: tuple[Setting, ...] = typing.get_args(Setting)
STRATEGIES: tuple[Strategy, ...] = typing.get_args(Strategy)
ENDED: tuple[State, ...] = ("finished", "failed", "stopped", "lost")
MIXED_LANGUAGES = "mul"
"""What stands for the language of a text that has words of several, as ISO 639-2 has it."""
DEMO_LEXICONS = "demo"
"""What a config calls the lexicons of the built-in demonstration set."""
ALL_POOLS = "*"
"""The pool language of the multilingual setting: the candidates of all languages together."""


def key(default: Any = MISSING, doc: str = "", **limits: Any) -> Any:
    """A config key: its default, one line of doc, and pydantic's limits (gt, ge, lt, le, min_length, pattern)."""
    metadata = {"doc": doc, "limits": limits}
    if isinstance(default, (dict, type)):
        factory = default if isinstance(default, type) else lambda: dict(default)
        return field(default_factory=factory, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class BuiltinSpec:
    """The small built-in encoder, trained from nothing; used when `model.checkpoint` is `builtin`."""

    dimension: int = key(128, "size of the vectors", ge=2)
    buckets: int = key(32768, "rows of the hashed n-gram table", ge=16)


@dataclass(frozen=True)
class ModelSpec:
    """The encoder that a run starts from."""

    checkpoint: str = key("builtin", "a Hugging Face id, a local folder, or `builtin`", min_length=1)
    pooling: Literal["mean", "cls"] | None = key(
        None, "how token vectors become one; none = as the checkpoint says, else mean"
    )
    query_prefix: str | None = key(None, "text before every query; none = the checkpoint's own prompt, else nothing")
    passage_prefix: str | None = key(
        None, "text before every passage; none = the checkpoint's own prompt, else nothing"
    )
    query_tokens: int | None = key(
        None,
        "longest query in tokens, prefix and special ones included; none = as the checkpoint says, else 64, "
        "for the built-in encoder 128",
        ge=3,
    )
    passage_tokens: int | None = key(
        None,
        "longest passage in tokens, prefix and special ones included; none = as the checkpoint says, else 256",
        ge=3,
    )
    builtin: BuiltinSpec = key(BuiltinSpec, "the built-in encoder's sizes")


@dataclass(frozen=True)
class PairSetSpec:
    """One training set of parallel query-passage pairs."""

    loader: TrainingLoader | None = key(None, "how it is read; none = known by the set's name or the file's ending")
    path: str | None = key(None, "file or folder to read; none = as `workbench data fetch` left it; not for `demo`")
    languages: tuple[str, ...] | None = key(None, "languages taken from the set; none = all it has", min_length=1)
    pairs: int | None = key(None, "at most so many pairs, the first in a fixed shuffled order; none = all", ge=1)
    pairs_per_language: int | None = key(
        None, "at most so many pairs in each language, the first in the same order; none = all", ge=1
    )
    passage_text: Literal["sentence", "paragraph"] = key(
        "sentence", "sets with an answer in a paragraph: the sentence that holds it is the passage, or the paragraph"
    )


@dataclass(frozen=True)
class TranslatorSpec:
    """What translates texts: a sequence-to-sequence checkpoint, or any program."""

    kind: TranslatorKind = key(doc="nllb, m2m100, marian: checkpoints of these families; command: a program")
    checkpoint: str | None = key(
        None, "a Hugging Face id or a local folder; none = the family's usual one; {source} and {target} are codes"
    )
    command: str | None = key(
        None, "command: program and arguments, a line in for each line out; {source} and {target} are codes"
    )
    version: str | None = key(None, "command: the program's version; another one translates anew")
    engine: Literal["transformers", "ctranslate2"] = key(
        "transformers", "what runs a checkpoint; ctranslate2 wants a converted one"
    )
    beams: int = key(4, "beams of the search", ge=1)
    max_tokens: int = key(256, "longest text in tokens, in and out", ge=8)
    batch_tokens: int = key(4096, "padded source tokens translated at a time", ge=64)
    precision: Literal["fp32", "bf16"] = key("fp32", "arithmetic of a checkpoint")


@dataclass(frozen=True)
class CodeSwitchingSpec:
    """Words replaced by their translations from bilingual lexicons (arXiv 2305.05295)."""

    lexicons: str = key(doc="a folder of <source>-<language>.txt or .tsv, a word and a translation a line; or `demo`")
    p: float = key(0.5, "probability of a word to be looked up", ge=0, le=1)
    mode: Literal["bilingual", "multilingual"] = key(
        "bilingual", "one language a text, or one drawn for each word: such a text counts as `mul`"
    )
    sides: Literal["both", "query", "passage"] = key("both", "which texts of a pair are switched")


@dataclass(frozen=True)
class SimilaritySpec:
    """How near a synthetic text has to be to its source in the space of an encoder."""

    checkpoint: str = key(doc="a Hugging Face id or a local folder", min_length=1)
    prefix: str | None = key(None, "text before every text; none = the checkpoint's own prompts, else nothing")
    threshold: float | None = key(None, "lowest cosine; give this or top_share", ge=-1, le=1)
    top_share: float | None = key(None, "share of a language's texts that stays, the nearest; or threshold", gt=0, le=1)


@dataclass(frozen=True)
class FilterSpec:
    """Which synthetic pairs are kept; a rule that one text of a pair breaks rejects the pair in that language."""

    length_ratio: float | None = key(
        2.0,
        "largest factor between a text's length and the one its source and the language's median ratio let expect, "
        "ten characters added to both; none = any",
        gt=1,
    )
    language: bool | None = key(
        None,
        "the identified language, among those at hand, is the text's own; none = for translations, not for "
        "code-switched texts",
    )
    copies: bool = key(
        True, "a text of several words is not its untranslated source; code-switched: a word of the pair was switched"
    )
    duplicates: bool = key(True, "no two pairs of a language have the same query and passage")
    script: bool | None = key(
        None,
        "most letters, words of the source aside, are of the language's scripts; none = for translations, not for "
        "code-switched texts",
    )
    numbers: bool = key(True, "most numbers of a text are those of its source; up to 12 they may be written as words")
    similarity: SimilaritySpec | None = key(None, "nearness to the source by an encoder; none = not measured")


@dataclass(frozen=True)
class CorruptionSpec:
    """Noise put into synthetic texts on purpose: each is a rate from 0 to 1."""

    misaligned: float = key(0.0, "pairs whose passage is another pair's", ge=0, le=1)
    word_drop: float = key(0.0, "words left out", ge=0, le=1)
    shuffle: float = key(0.0, "texts whose words are shuffled within a window of three", ge=0, le=1)
    untranslated: float = key(0.0, "words that are given back to the source", ge=0, le=1)
    wrong_language: float = key(0.0, "pairs in another of the synthetic languages than they claim", ge=0, le=1)
    truncated: float = key(0.0, "texts cut at a random word", ge=0, le=1)


@dataclass(frozen=True)
class SyntheticSpec:
    """Synthetic versions of training pairs: how they are made, how many of the sampled pairs they are."""

    translator: TranslatorSpec | None = key(None, "made by machine translation; or give code_switching")
    code_switching: CodeSwitchingSpec | None = key(
        None, "made by code-switching; with neither, what the sets' files say was made"
    )
    sets: tuple[str, ...] | None = key(None, "training sets that they are made of; none = all", min_length=1)
    source: str = key("en", "language that they are made from")
    languages: tuple[str, ...] | None = key(
        None, "languages that they are made in; none = the others of the set", min_length=1
    )
    share: float | None = key(
        None, "share of the sampled pairs that is synthetic; none = where there is no human text", ge=0, le=1
    )
    shares: Mapping[str, float] = key({}, "share by language of its texts, in place of share; 0 where none is named")
    filter: FilterSpec | None = key(None, "which ones are kept; none = all, {} = by the default rules")
    corruption: CorruptionSpec = key(CorruptionSpec, "noise put into them on purpose")
    seed: int = key(0, "seed of code-switching and corruption", ge=0, lt=2**31)


@dataclass(frozen=True)
class SamplingSpec:
    """How the languages of a batch are drawn: the experiment."""

    strategy: Strategy = key("hybrid", "what a batch holds")
    alpha: float = key(0.5, "hybrid: share of mono batches; mixed: share of same-language pairs", ge=0, le=1)


@dataclass(frozen=True)
class ValidationSpec:
    """Held-out training pairs, and the checkpoint that is chosen by their loss."""

    pairs: int = key(0, "pairs held out of each training set, the same for every seed and arm; 0 = no validation", ge=0)
    every: int = key(50, "steps between two measurements of the loss", ge=1)
    select: Literal["best", "last"] = key(
        "best", "the checkpoint that is evaluated: lowest validation loss, or the last"
    )


@dataclass(frozen=True)
class TrainSpec:
    """Contrastive fine-tuning with in-batch negatives."""

    sets: Mapping[str, PairSetSpec] = key(doc="training sets by name", min_length=1)
    sampling: SamplingSpec = key(SamplingSpec, "how the languages of a batch are drawn")
    synthetic: SyntheticSpec | None = key(None, "synthetic versions of the pairs; none = none are made")
    batch_size: int = key(32, "pairs in a batch, over all devices", ge=2)
    chunk_size: int | None = key(
        None, "gradient caching: texts encoded at a time; none = the whole batch at once", ge=1
    )
    steps: int | None = key(None, "batches to train on; give this or epochs", ge=1)
    epochs: float | None = key(None, "passes over the pairs; give this or steps", gt=0)
    learning_rate: float = key(3e-5, "AdamW's rate after warm-up", gt=0)
    weight_decay: float = key(1e-2, "AdamW's weight decay", ge=0)
    warmup: float = key(0.1, "share of the steps with a rising rate; then it falls linearly to 0", ge=0, lt=1)
    clip: float = key(1.0, "largest norm of the gradient", gt=0)
    temperature: float = key(0.05, "what cosines are divided by in the loss", gt=0)
    precision: Literal["fp32", "bf16"] = key("fp32", "arithmetic of the encoder; bf16 by autocast")
    validation: ValidationSpec = key(ValidationSpec, "held-out loss and choice of checkpoint")
    checkpoint_every: int = key(50, "steps between two checkpoints", ge=1)
    on_leak: Literal["drop", "warn", "fail"] = key(
        "drop", "pairs whose texts stand in an evaluation task: leave them out, only say so, or end the run"
    )


@dataclass(frozen=True)
class TaskSpec:
    """One evaluation set."""

    loader: TaskLoader | None = key(None, "how it is read; none = known by the task's name")
    path: str | None = key(None, "file or folder to read; none = as `workbench data fetch` left it; not for `demo`")
    split: str | None = key(None, "part of the set, such as dev or test; none = the one that is usually measured")
    questions: tuple[str, ...] = key(
        (), "files of translated questions: id, language, question, translator; of XQuAD-R, MLQA-R: in place of its own"
    )
    languages: tuple[str, ...] | None = key(None, "languages taken from the set; none = all it has", min_length=1)
    settings: tuple[Setting, ...] = key(SETTINGS, "settings to measure", min_length=1)
    passage_text: Literal["sentence", "sentence_paragraph"] = key("sentence", "what is encoded as the passage")
    every_article: int = key(1, "take every n-th article only, counted from the first", ge=1)
    leave_out: tuple[str, ...] = key((), "languages whose cells do not count in a setting's mean")
    depth: int | None = key(
        None, "passages searched for; none = exact ranks of all relevants, for `miracl` the first 1000", ge=100
    )
    index: Literal["auto", "flat", "ivf", "hnsw"] = key(
        "auto", "how a depth is searched: all vectors (flat), inverted lists, a graph; auto = by the pool's size"
    )


@dataclass(frozen=True)
class EvaluateSpec:
    """What is measured after training, or of an untrained checkpoint."""

    tasks: Mapping[str, TaskSpec] = key(doc="evaluation tasks by name", min_length=1)
    batch_tokens: int = key(4096, "padded tokens encoded at a time", ge=64)
    memory_gib: float = key(1.0, "bound on the similarity blocks", gt=0)


@dataclass(frozen=True)
class Settings:
    """Everything that a config may say of one run."""

    name: str = key(doc="the experiment; runs of one name belong together", min_length=1)
    evaluate: EvaluateSpec = key(doc="what is measured")
    label: str | None = key(
        None,
        "what the arm is called, such as hybrid-hs; none = after its sampling and what is swept",
        pattern=r"^[a-z0-9][a-z0-9._-]{0,39}$",
    )
    model: ModelSpec = key(ModelSpec, "the encoder")
    train: TrainSpec | None = key(None, "how it is trained; none = evaluate the checkpoint as it is")
    seed: int = key(0, "seed of everything that is drawn", ge=0, lt=2**31)
    device: Literal["auto", "cpu", "cuda"] = key("auto", "where it runs; auto = a GPU where there is one")
    threads: int | None = key(None, "CPU threads of a worker; none = the cores divided by the jobs", ge=1)
    keep: Literal["model", "nothing"] | None = key(None, "what stays of the training; none = model, in a sweep nothing")


@dataclass(frozen=True)
class RunSpec:
    """One launched job, as frozen in its `config.yaml`."""

    run_id: str
    """Sorts by time, reads by eye: `20261122-1403-hybrid-a50-s0-7f3c`."""
    arm: str
    """What its runs share but for the seed: `hybrid-a50-1c9e07`."""
    created: str
    """UTC, ISO 8601."""
    folder: str
    """Folder that the relative paths of the settings start from; the worker's own where it does not exist."""
    fingerprints: Mapping[str, str]
    """Content hash of each path in the settings by its dotted key, such as `train.sets.help`."""
    settings: Settings


def to_plain(value: Any) -> Any:
    """Records, mappings and tuples as dicts and lists, for YAML and JSON."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(k): to_plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(v) for v in value]
    return value


def from_plain(kind: Any, value: Any) -> Any:
    """The inverse of `to_plain` for a record type; checks names and nesting, not limits (config.py did).

    Raises
    ------
    TypeError
        An unknown or a missing key.
    """
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if isinstance(kind, type) and is_dataclass(kind):
        hints = hints_of(kind)
        unknown = set(value) - set(hints)
        if unknown:
            raise TypeError(f"{kind.__name__}: unknown key {sorted(unknown)[0]!r}")
        return kind(**{name: from_plain(hints[name], part) for name, part in value.items()})
    if origin in (typing.Union, types.UnionType):
        return None if value is None else from_plain(next(a for a in args if a is not type(None)), value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {name: from_plain(args[1], part) for name, part in value.items()}
    if origin is tuple:
        return tuple(from_plain(args[0], part) for part in value)
    return value


@functools.cache
def hints_of(record: type) -> dict[str, Any]:
    """The types of a record's fields; resolving them takes most of the time of reading one."""
    return typing.get_type_hints(record)
