"""Translations on disk, so that no sentence is ever paid for twice.

One SQLite file in the cache folder; its key is a hash of (translator, source, target, text), where the translator's
part is all that changes what it gives. It is written batch by batch: who is killed goes on from there.
"""

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from workbench.errors import WorkError
from workbench.files import as_work_error
from workbench.paths import cache_folder
from workbench.records import Progress
from workbench.synthesis.translators.interface import Translator, Unfinished, identity_of

FIRST_BATCH = 64
LARGEST_BATCH = 1024
"""Texts translated between two writes, at first and at most."""
SHORT_S = 20.0
"""A batch that takes less is followed by one of twice the size: a kill costs little, starting a program little too."""
WAIT_S = 120.0
"""How long a write of another process is waited for; each takes milliseconds."""
AT_ONCE = 500
"""Keys looked up by one statement."""
CREATE = "CREATE TABLE IF NOT EXISTS translations (key BLOB PRIMARY KEY, translation TEXT NOT NULL) WITHOUT ROWID"


def cache_file() -> Path:
    return cache_folder() / "translations.sqlite"


def translate_cached(
    translator: Translator,
    texts: Sequence[str],
    source: str,
    target: str,
    progress: Progress,
) -> list[str]:
    """The translation of each text; those that were made before are read, equal texts are translated once.

    `progress(stage, done, total)` counts different texts, at first those that were there, then after each batch. Of
    two processes that translate the same text at once, both give the translation that was stored first.

    Raises
    ------
    WorkError
        The translator failed, or the cache cannot be read or written; what was translated stays in the cache.
    """
    identity = json.dumps(dict(identity_of(translator, source, target)), sort_keys=True)
    keys = {text: cache_key(identity, source, target, text) for text in dict.fromkeys(texts)}
    stage = f"translate {source} into {target}"
    with opened(cache_file()) as store:
        done = looked_up(store, keys)
        progress(stage, len(done), len(keys))
        missing = [text for text in keys if text not in done]
        size = FIRST_BATCH
        while missing:
            batch, missing = missing[:size], missing[size:]
            began = time.monotonic()
            done |= translated(store, translator, batch, source, target, keys)
            if time.monotonic() - began < SHORT_S:
                size = min(2 * size, LARGEST_BATCH)
            progress(stage, len(done), len(keys))
    return [done[text] for text in texts]


def cache_key(identity: str, source: str, target: str, text: str) -> bytes:
    """16 bytes. A JSON list, so that no two different quadruples are written alike."""
    whole = json.dumps([identity, source, target, text])
    return hashlib.blake2b(whole.encode(), digest_size=16).digest()


def translated(
    store: sqlite3.Connection,
    translator: Translator,
    batch: Sequence[str],
    source: str,
    target: str,
    keys: Mapping[str, bytes],
) -> dict[str, str]:
    """A batch's translations as they stand in the store; those that another process made meanwhile are not made."""
    known = looked_up(store, {text: keys[text] for text in batch})
    fresh = [text for text in batch if text not in known]
    if not fresh:
        return known
    try:
        made = dict(zip(fresh, translator.translate(fresh, source, target), strict=True))
    except Unfinished as failure:
        write(store, {keys[text]: done for text, done in failure.finished.items() if text in keys})
        raise
    write(store, {keys[text]: translation for text, translation in made.items()})
    return looked_up(store, {text: keys[text] for text in batch})


def looked_up(store: sqlite3.Connection, keys: Mapping[str, bytes]) -> dict[str, str]:
    """Text -> translation, of those that are there."""
    texts = {key: text for text, key in keys.items()}
    wanted, found = list(texts), {}
    for start in range(0, len(wanted), AT_ONCE):
        part = wanted[start : start + AT_ONCE]
        marks = ",".join("?" * len(part))
        for key, translation in store.execute(
            f"SELECT key, translation FROM translations WHERE key IN ({marks})", part
        ):
            found[texts[key]] = translation
    return found


def write(store: sqlite3.Connection, rows: Mapping[bytes, str]) -> None:
    """In one transaction; what is there stays."""
    with store:
        store.executemany("INSERT OR IGNORE INTO translations VALUES (?, ?)", rows.items())


@contextmanager
def opened(file: Path) -> Iterator[sqlite3.Connection]:
    """The cache, made where it is not there.

    Raises
    ------
    WorkError
        It is damaged or locked, or the disk is full or not writable.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise as_work_error(error, file) from error
    try:
        with closing(sqlite3.connect(file, timeout=WAIT_S)) as store:
            store.execute(CREATE)
            yield store
    except sqlite3.Error as error:
        raise WorkError(
            f"{file}: the translations cannot be read or written: {error}; a damaged file may be deleted"
        ) from error
