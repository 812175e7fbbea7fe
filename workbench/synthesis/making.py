"""Synthetic versions of a run's training sets: made, filtered, spoilt on purpose; once for all runs that want them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from workbench.data.catalog import fingerprint
from workbench.data.fingerprints import local_checkpoint
from workbench.data.pairs import ParallelPairs
from workbench.errors import InputError, allowed
from workbench.files import locked
from workbench.paths import cache_folder
from workbench.records import MIXED_LANGUAGES, Plain, Progress, SyntheticSpec, to_plain
from workbench.synthesis.corruption import corrupted
from workbench.synthesis.made import Account, Made, read_made, stored_accounts, write_made
from workbench.synthesis.makers import Maker, load_maker
from workbench.synthesis.outcomes import because, filtered_by_kind, rejected, with_details
from workbench.synthesis.similarity import KEY
from workbench.synthesis.versions import Versions, joined, made, makers_of, unsourced, with_made, written

VERSION = 2
"""Changes with the texts that the same settings make."""
LOOK_S = 0.5
"""How often somebody who waits for another process looks whether he is to stop."""


def with_synthetic(
    sets: Sequence[ParallelPairs], spec: SyntheticSpec, folder: Path, device: str, progress: Progress
) -> tuple[list[ParallelPairs], list[Account], list[str]]:
    """The training sets with the synthetic versions that a config asks for, how they came about, what is to be known.

    What is made is kept in the cache, by its content: runs of a sweep make it once. `folder` is where relative paths
    start.

    Raises
    ------
    InputError
        A set, language, lexicon or checkpoint is not there, or a set has synthetic texts in a language already that
        are asked for.
    WorkError
        A translator failed.
    """
    names = [pairs.name for pairs in sets]
    for name in spec.sets or ():
        if name not in names:
            raise InputError(f"train.synthetic.sets: {name!r}; {allowed(name, names)}")
    maker = load_maker(spec, folder, device)
    found: list[ParallelPairs] = []
    accounts: list[Account] = []
    notes: list[str] = []
    for pairs in sets:
        if spec.sets is None or pairs.name in spec.sets:
            of_set = make_once(pairs, spec, maker, folder, device, progress)
            accounts += [account for account in stored_accounts(pairs) if account.language not in of_set.makers]
            accounts += of_set.accounts
            notes += [f"{pairs.name}: {note}" for note in of_set.notes]
            pairs = with_made(pairs, of_set.versions, of_set.makers)
        else:
            accounts += stored_accounts(pairs)
        found.append(pairs)
    return found, accounts, notes


def make_once(
    pairs: ParallelPairs,
    spec: SyntheticSpec,
    maker: Maker | None,
    folder: Path,
    device: str,
    progress: Progress,
) -> Made:
    """What was made of a set: from the cache, else now, while others who want the same wait."""
    start = beginning(pairs, spec, maker)
    asked = {
        "version": VERSION,
        "texts": digest(start),
        "maker": maker.identity(targets(pairs, spec)) if maker else makers_of(pairs),
        "languages": maker and targets(pairs, spec),
        "source": spec.source,
        "filter": spec.filter and filter_identity(spec, folder),
        "corruption": to_plain(spec.corruption),
        "seed": spec.seed,
    }
    key = hashlib.blake2b(json.dumps(asked, sort_keys=True).encode(), digest_size=12).hexdigest()
    path = cache_folder() / "synthetic" / f"{key}.parquet"
    with alone(path.with_suffix(".lock"), progress):
        if path.is_file():
            with suppress(ValueError):  # damaged: made anew
                return read_made(path, pairs.name)
        found = make(pairs, start, spec, maker, folder, device, progress)
        write_made(path, found)
    return found


@contextmanager
def alone(lock: Path, progress: Progress) -> Iterator[None]:
    """Hold the lock; while another process has it, `progress` is told now and then, and may raise to stop."""
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(locked(lock, wait_s=LOOK_S))
                break
            except BlockingIOError:
                progress("wait for the process that makes the same", 0, 1)
        yield


def beginning(pairs: ParallelPairs, spec: SyntheticSpec, maker: Maker | None) -> Versions:
    """What to start from: the texts in the source language, or what a file says was made."""
    stored = made(pairs, spec.source)
    if maker is None:
        if not stored:
            raise InputError(
                f"train.sets.{pairs.name}: holds no synthetic texts, and train.synthetic names no translator and no "
                "code_switching to make any; leave the set out of train.synthetic.sets, or name one"
            )
        return joined(list(stored.values()))
    there = makers_of(pairs)
    for language in [MIXED_LANGUAGES] if is_multilingual(spec) else targets(pairs, spec):
        if language in there:
            raise InputError(
                f"train.sets.{pairs.name}: holds synthetic texts in {language!r} already, made by {there[language]}; "
                "leave the language out of train.synthetic.languages, or leave translator and code_switching out"
            )
    found = written(pairs, spec.source)
    if not len(found):
        have = sorted(set(pairs.languages))
        raise InputError(
            f"train.synthetic.source: {pairs.name} has no texts in {spec.source!r}; {allowed(spec.source, have)}"
        )
    return found


def make(
    pairs: ParallelPairs,
    start: Versions,
    spec: SyntheticSpec,
    maker: Maker | None,
    folder: Path,
    device: str,
    progress: Progress,
) -> Made:
    """Make, filter, corrupt."""
    details: dict[str, Plain] = {}
    if maker is None:
        versions, makers = start, makers_of(pairs)
    else:
        languages = targets(pairs, spec)
        versions, told = maker.make(start, languages, progress)
        details |= told
        makers = dict.fromkeys([MIXED_LANGUAGES] if is_multilingual(spec) else languages, maker.name)
    # of texts in several languages each language has an account of its words, but no texts
    names = {language: makers.get(language) or makers[MIXED_LANGUAGES] for language in sorted({*makers, *details})}
    counts = {
        # what the maker itself rejected was made, too
        language: list(versions.languages).count(language) + sum(details.get(language, {}).get("rejected", {}).values())
        for language in names
    }
    notes: tuple[str, ...] = ()
    if spec.filter is not None:
        kept = filtered_by_kind(versions, makers, spec.source, spec.filter, folder, device, progress)
        versions, notes = (
            versions.take([row for row, keep in enumerate(kept.kept) if keep]),
            (*kept.notes, *(() if maker else unsourced(pairs, spec.source))),
        )
        details = with_details(details, rejected(kept))
    if not len(versions):
        raise InputError(f"train.synthetic: nothing is left of what was made of {pairs.name}{because(details)}")
    versions, touched = corrupted(versions, spec.corruption, spec.seed)
    for kind, by_language in touched.items():
        details = with_details(details, {its: {"corrupted": {kind: list(part)}} for its, part in by_language.items()})
    accounts = tuple(
        Account(
            pairs.name,
            language,
            name,
            None if maker is None else counts[language],
            list(versions.languages).count(language),
            details.get(language, {}),
        )
        for language, name in names.items()
    )
    return Made(versions, makers, accounts, notes)


def is_multilingual(spec: SyntheticSpec) -> bool:
    """Whether the texts will be in no one language."""
    return spec.code_switching is not None and spec.code_switching.mode == "multilingual"


def targets(pairs: ParallelPairs, spec: SyntheticSpec) -> list[str]:
    """The languages to make texts in.

    Raises
    ------
    InputError
        None are named and the set has no other.
    """
    if spec.languages is not None:
        return sorted(set(spec.languages) - {spec.source})
    written_in = {language for language, maker in zip(pairs.languages, pairs.makers, strict=True) if maker is None}
    if others := sorted(written_in - {spec.source}):
        return others
    raise InputError(f"train.synthetic.languages: {pairs.name} is in {spec.source!r} alone: name the languages to make")


def digest(versions: Versions) -> str:
    """Of everything that is in it."""
    whole = hashlib.blake2b(digest_size=16)
    for row in zip(
        versions.pair_ids,
        versions.languages,
        versions.queries,
        versions.passages,
        versions.source_queries,
        versions.source_passages,
        strict=True,
    ):
        whole.update(json.dumps(row).encode())
    return whole.hexdigest()


def filter_identity(spec: SyntheticSpec, folder: Path) -> Plain:
    """Its settings, and the content of a local checkpoint that it uses."""
    assert spec.filter is not None
    plain: Plain = to_plain(spec.filter)
    if spec.filter.similarity is not None and (
        local := local_checkpoint(spec.filter.similarity.checkpoint, folder, KEY)
    ):
        plain["similarity"]["checkpoint"] = fingerprint(local)
    return plain
