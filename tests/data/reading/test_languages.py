"""Language codes."""

from pathlib import Path

import pycountry
import pytest

from workbench.data.catalog import DEMO_LANGUAGES, KNOWN_SETS
from workbench.data.reading.languages import (
    check_language,
    code_of_name,
    known_codes,
    languages_asked_for,
    likely,
    name_of,
)
from workbench.errors import InputError


def test_the_codes_of_all_known_sets_are_codes_and_have_names() -> None:
    for code in {*DEMO_LANGUAGES, *(code for known in KNOWN_SETS for code in known.languages)}:
        assert check_language(code, "here") == code
        assert code_of_name(name_of(code), "here") == code


def test_a_language_without_a_code_of_two_letters_has_three() -> None:
    assert check_language("ceb", "here") == "ceb"
    with pytest.raises(InputError, match=r"here: 'swa' is no language code; .*did you mean 'sw'\?"):
        check_language("swa", "here")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("EN", "en"),
        ("eng", "en"),
        ("ger", "de"),
        ("zh-CN", "zh"),
        ("pt_BR", "pt"),
        ("iw", "he"),
        ("gr", "el"),
        ("jp", "ja"),
        ("Swahili", "sw"),
        ("farsi", "fa"),
        ("arb", "ar"),
        ("qq", None),
        ("", None),
    ],
)
def test_what_was_meant_is_suggested(written: str, meant: str | None) -> None:
    assert likely(written) == meant
    with pytest.raises(InputError) as raised:
        check_language(written, "set.jsonl: line 3")
    assert str(raised.value).startswith("set.jsonl: line 3:")
    assert ("did you mean" in str(raised.value)) == (meant is not None)


@pytest.mark.parametrize("code", [None, 7, ["en"]])
def test_what_is_no_text_is_no_code(code: object) -> None:
    with pytest.raises(InputError, match="no language code"):
        check_language(code, "here")


def test_every_code_of_two_letters_is_one_but_for_the_withdrawn() -> None:
    codes = {language.alpha_2 for language in pycountry.languages if hasattr(language, "alpha_2")}
    assert {"kr", "tw"} <= codes <= known_codes()
    assert not {"in", "iw", "ji", "jw", "mo"} & known_codes()


def test_languages_that_a_set_lacks_are_told() -> None:
    assert languages_asked_for(["sw", "ar"], None, Path("set")) == ("ar", "sw")
    assert languages_asked_for({"sw", "ar"}, ["sw", "sw"], Path("set")) == ("sw",)
    with pytest.raises(InputError, match=r"^set: holds no text in 'fr'; allowed: ar, sw$"):
        languages_asked_for(["sw", "ar"], ["sw", "fr"], Path("set"))
    with pytest.raises(InputError, match=r"^set: holds no question in any language$"):
        languages_asked_for([], None, Path("set"), "question")


def test_names_are_english_ones() -> None:
    assert [code_of_name(name, "") for name in ("arabic", "Bengali", "swahili", "telugu")] == ["ar", "bn", "sw", "te"]
    with pytest.raises(InputError, match=r"dev\.json: 'klingonese' is no language"):
        code_of_name("klingonese", "dev.json")
