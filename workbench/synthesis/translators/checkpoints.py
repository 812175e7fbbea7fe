"""Checkpoints as translators: NLLB-200, M2M100 and MarianMT, run by transformers or by CTranslate2."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from workbench.data.catalog import fingerprint
from workbench.data.fingerprints import local_checkpoint
from workbench.errors import InputError
from workbench.records import TranslatorSpec
from workbench.synthesis.translators.families import USUAL, check_languages, checkpoint_name, directed, one_for_all
from workbench.synthesis.translators.interface import around_blanks

KEY = "translator.checkpoint"

Tokens = list[int]


class Engine(Protocol):
    """What runs a checkpoint."""

    tokenizer: Any
    longest: int
    """Tokens of a text, in and out, that the checkpoint can take."""

    def generate(self, batch: Sequence[Tokens], forced: int | None) -> list[Tokens]:
        """The tokens of each text's translation, perhaps with special ones; `forced` is what each begins with."""
        ...


class CheckpointTranslator:
    """Loads a checkpoint with the first translation, or with the first check, which looks for its languages.

    Texts of like length are translated together, at most `batch_tokens` padded tokens at a time; but for rounding a
    translation does not depend on the others of its batch. Texts of more than `max_tokens` are cut, translations end
    there.
    """

    def __init__(self, spec: TranslatorSpec, folder: Path, device: str, threads: int | None) -> None:
        self.spec = spec
        self.folder = folder
        self.device = device
        self.threads = threads
        self.name = (spec.checkpoint or USUAL[spec.kind]).rstrip("/").rpartition("/")[2]
        self._found: dict[str, tuple[Path, str]] = {}
        self._open: tuple[Path, Engine] | None = None

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """Where each pair of languages has its own checkpoint, what all of them share."""
        if one_for_all(self.spec):
            return self.pair_identity("en", "de")
        return {**self.settings(), "checkpoint": self.spec.checkpoint or USUAL[self.spec.kind]}

    def pair_identity(self, source: str, target: str) -> Mapping[str, Any]:
        return {**self.settings(), "content": self.found(source, target)[1]}

    def settings(self) -> dict[str, Any]:
        spec = self.spec
        return {
            "kind": spec.kind,
            "engine": spec.engine,
            "beams": spec.beams,
            "max_tokens": spec.max_tokens,
            "precision": spec.precision,
        }

    def found(self, source: str, target: str) -> tuple[Path, str]:
        """The checkpoint's folder, fetched where need be, and what tells its content from any other's."""
        name = checkpoint_name(self.spec, source, target)
        if name not in self._found:
            self._found[name] = self.look_for(name)
        return self._found[name]

    def look_for(self, name: str) -> tuple[Path, str]:
        local = local_checkpoint(name, self.folder, KEY)
        if local is not None:
            return local, fingerprint(local)
        if self.spec.engine == "ctranslate2":
            raise InputError(
                f"{KEY}: {name!r} is no folder here; allowed with ctranslate2: one that ct2-transformers-converter "
                "wrote, with the tokenizer's files (--copy_files)"
            )
        from workbench.synthesis.translators.transformers_engine import fetched

        folder, revision = fetched(name, self.folder, KEY)
        return folder, f"{name}@{revision}"

    def check(self, source: str, targets: Sequence[str]) -> None:
        check_languages(self.spec, [source, *targets])
        for target in targets:
            if target == source:
                raise InputError(f"translator: {target!r} is the source language; allowed: other target languages")
            self.found(source, target)
        for target in targets:
            directed(self.spec, self.engine(source, target).tokenizer, self.where(source, target), source, target)

    def where(self, source: str, target: str) -> str:
        return checkpoint_name(self.spec, source, target)

    def engine(self, source: str, target: str) -> Engine:
        """The checkpoint, loaded; only one stays in memory."""
        folder, _ = self.found(source, target)
        if self._open is None or self._open[0] != folder:
            self._open = None
            self._open = folder, self.opened(folder)
        return self._open[1]

    def opened(self, folder: Path) -> Engine:
        if self.spec.engine == "ctranslate2":
            from workbench.synthesis.translators.ctranslate2_engine import CTranslate2Engine

            return CTranslate2Engine(folder, self.spec, self.device, self.threads)
        from workbench.synthesis.translators.transformers_engine import TransformersEngine

        return TransformersEngine(folder, self.spec, self.device)

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str]:
        engine = self.engine(source, target)
        direction = directed(self.spec, engine.tokenizer, self.where(source, target), source, target)
        longest = min(self.spec.max_tokens, engine.longest)
        dropped = direction.marks | set(engine.tokenizer.all_special_ids)

        def translated(lines: list[str]) -> list[str]:
            if not lines:
                return []
            tokens: list[Tokens] = engine.tokenizer(
                [direction.prefix + line for line in lines], truncation=True, max_length=longest
            )["input_ids"]
            translations = [""] * len(lines)
            for rows in by_length(tokens, self.spec.batch_tokens):
                made = engine.generate([tokens[row] for row in rows], direction.forced)
                for row, numbers in zip(rows, made, strict=True):
                    kept = [number for number in numbers if number not in dropped]
                    translations[row] = decoded(engine.tokenizer, kept)
            return translations

        return around_blanks(texts, translated)


def by_length(tokens: Sequence[Tokens], batch_tokens: int) -> list[list[int]]:
    """The rows in batches, the longest first; a batch has at most so many tokens once padded, or one text."""
    order = sorted(range(len(tokens)), key=lambda row: (-len(tokens[row]), row))
    batches = []
    while order:
        size = max(1, batch_tokens // len(tokens[order[0]]))
        batches.append(order[:size])
        order = order[size:]
    return batches


def decoded(tokenizer: Any, numbers: Tokens) -> str:
    """The text of tokens without special ones."""
    text: str = tokenizer.decode(numbers, clean_up_tokenization_spaces=False)
    return " ".join(text.split())
