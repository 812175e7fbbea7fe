"""Lexicons: the formats that are read, which translation counts, and what an unsound file is told."""

from pathlib import Path

import pytest

from workbench.errors import InputError
from workbench.synthesis.lexicons import Lexicon, load_lexicons, looked_up_as, with_capital

SHARED = Path(__file__).parents[2] / "../shared/data/lexicons"

needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the real lexicons are not there")


def written(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


@pytest.mark.parametrize(
    "content",
    [
        "house\tHaus\nHouse\tHeim\nfront door\tHaustür\na-bomb\tBombe\n\nrun\tlaufen gehen\n",
        "house Haus\nHouse Heim\nfront-door Haustür\na-bomb\tBombe\n \nrun laufen gehen\n",
        "\ufeffhouse\tHaus\r\nHOUSE\tHeim\r\nfront door\tTür\r\nfront door\tHaustür\r\n...\tusw.\r\nrun\tlaufen gehen",
    ],
)
@pytest.mark.parametrize("name", ["en-de.txt", "en-de.tsv"])
def test_formats(tmp_path: Path, name: str, content: str) -> None:
    written(tmp_path, name, content)
    written(tmp_path, "fr-de.txt", "maison Haus\n")
    assert load_lexicons(tmp_path.name, "en", None, tmp_path.parent) == {
        "de": Lexicon("de", {"house": "Haus", "run": "laufen gehen"}, 2)
    }


def test_languages_asked_for(tmp_path: Path) -> None:
    for language in ("de", "th", "zh"):
        written(tmp_path, f"en-{language}.txt", f"one {language}\n")
    assert list(load_lexicons(str(tmp_path), "en", None, Path("nowhere"))) == ["de", "th", "zh"]
    assert list(load_lexicons(str(tmp_path), "en", ["zh", "de"], Path("nowhere"))) == ["de", "zh"]
    with pytest.raises(InputError, match=r"holds no lexicon from 'en' in 'sw'; allowed: de, th, zh"):
        load_lexicons(str(tmp_path), "en", ["de", "sw"], Path("nowhere"))
    with pytest.raises(InputError, match=r"holds no lexicon from 'ru'; allowed: en"):
        load_lexicons(str(tmp_path), "ru", None, Path("nowhere"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("en-de.txt", "house\tHaus\ncat\n", r"en-de.txt: line 2: 'cat' is no entry; allowed: a word and a translation"),
        ("en-de.txt", "house\t \n", r"en-de.txt: line 1: 'house\\t ' is no entry"),
        ("en-de.txt", "\tHaus\n", r"en-de.txt: line 1: '\\tHaus' is no entry"),
        ("en-de.txt", "house\tnoun\tHaus\n", r"en-de.txt: line 1: .* is no entry"),
        ("en-de.txt", "a\tb\nT\u00fcr\tdoor\n".encode("latin-1"), r"en-de.txt: line 2: not UTF-8"),
        ("en-de.txt", "", r"en-de.txt: holds no entry"),
        ("en-de.txt", "front door\tHaustür\n", r"en-de.txt: holds no entry of a single word"),
        ("en-german.txt", "house Haus\n", r"en-german.txt: the name: 'german' is no language code; .* mean 'de'"),
        ("lexicon.txt", "house Haus\n", r"holds no lexicon from 'en'; allowed: none"),
    ],
)
def test_unsound_files(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    written(tmp_path, name, content)
    with pytest.raises(InputError, match=message):
        load_lexicons(str(tmp_path), "en", None, tmp_path)


def test_unsound_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone: there is no such folder; allowed: a folder, demo"):
        load_lexicons("gone", "en", None, tmp_path)
    with pytest.raises(InputError, match=r"is a file; allowed: a folder"):
        load_lexicons(written(tmp_path, "en-de.txt", "a b").name, "en", None, tmp_path)
    written(tmp_path, "en-de.tsv", "a\tb")
    with pytest.raises(InputError, match=r"holds en-de.txt and en-de.tsv; allowed: one of them"):
        load_lexicons(str(tmp_path), "en", None, tmp_path)


def test_demo() -> None:
    lexicons = load_lexicons("demo", "en", None, Path("nowhere"))
    assert "en" not in lexicons and len(lexicons) == 9
    assert all(lexicon.language == language for language, lexicon in lexicons.items())
    assert list(load_lexicons("demo", "en", ["es", "de"], Path("nowhere"))) == ["de", "es"]
    with pytest.raises(InputError, match=r"demo: holds no words of 'de'; allowed: en"):
        load_lexicons("demo", "de", None, Path("nowhere"))
    with pytest.raises(InputError, match=r"demo: holds no words in 'xx'; allowed: ar, de"):
        load_lexicons("demo", "en", ["xx"], Path("nowhere"))


@pytest.mark.parametrize(
    ("word", "language", "form"),
    [
        ("House", "en", "house"),
        ("Don’t", "en", "don't"),
        ("CAFE\u0301", "fr", "café"),
        ("ΟΔΟΣ", "el", "οδος"),
        ("Istanbul", "en", "istanbul"),
        ("ISI", "tr", "ısı"),
        ("İyi", "tr", "iyi"),
        ("บ้าน", "th", "บ้าน"),
    ],
)
def test_form_that_is_looked_up(word: str, language: str, form: str) -> None:
    assert looked_up_as(word, language) == form


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("haus bauen", "de", "Haus bauen"),
        ("iyi", "tr", "İyi"),
        ("iyi", "de", "Iyi"),
        ("ǆep", "hr", "ǅep"),
        ("сад", "ru", "Сад"),
        ("房子", "zh", "房子"),
        ("บ้าน", "th", "บ้าน"),
        ("სახლი", "ka", "სახლი"),
        ("بيت", "ar", "بيت"),
    ],
)
def test_capital(text: str, language: str, expected: str) -> None:
    assert with_capital(text, language) == expected


@needs_shared
def test_the_real_lexicons() -> None:
    lexicons = load_lexicons(str(SHARED), "en", None, Path())
    assert " ".join(lexicons) == "ar bn de el es fi hi id ja ko ru sw te th tr vi zh"
    sizes = {language: len(lexicon.translations) for language, lexicon in lexicons.items()}
    assert sizes["de"] > 90_000 and min(sizes.values()) == sizes["vi"] > 1_000
    for lexicon in lexicons.values():
        assert lexicon.several_words < 0.16 * len(lexicon.translations)
        assert "abacus" in lexicon.translations
