"""Languages told apart, among those at hand."""

import pytest

from workbench.synthesis.identification import Identifier

SENTENCES = {
    "ar": "كان الجو باردًا جدًا في المدينة أمس.",
    "de": "Gestern war es in der Stadt sehr kalt.",
    "en": "It was very cold in the city yesterday.",
    "es": "Ayer hizo mucho frío en la ciudad.",
    "hi": "कल शहर में बहुत ठंड थी।",
    "ja": "昨日は町がとても寒かったです。",
    "ru": "Вчера в городе было очень холодно.",
    "sw": "Jana kulikuwa na baridi sana mjini.",
    "th": "เมื่อวานนี้ในเมืองอากาศหนาวมาก",
    "tr": "Dün şehirde hava çok soğuktu.",
    "zh": "昨天城里很冷。",
}


@pytest.fixture(scope="module")
def identifier() -> Identifier:
    return Identifier(SENTENCES)


@pytest.mark.parametrize("language", SENTENCES)
def test_sentences(identifier: Identifier, language: str) -> None:
    assert identifier.likeliest(SENTENCES[language]) == language
    assert not identifier.is_another(SENTENCES[language], language)
    others = set(SENTENCES) - {language}
    assert all(identifier.is_another(SENTENCES[language], other) for other in others)


@pytest.mark.parametrize("text", ["", "1859", "Amsterdam", "OK", "New York"])
def test_little_text_is_let_pass_in_any_language(identifier: Identifier, text: str) -> None:
    assert not any(identifier.is_another(text, language) for language in ("de", "en", "es", "sw", "tr"))


def test_nothing_tells_the_language_of_digits(identifier: Identifier) -> None:
    assert identifier.likeliest("1859") is None


def test_only_languages_at_hand_count() -> None:
    assert Identifier(["de", "en"]).likeliest(SENTENCES["es"]) in ("de", "en")


def test_unknown_languages_are_left_out() -> None:
    identifier = Identifier(["en", "nb", "tlh"])
    assert identifier.languages == {"en", "nb"}
    assert identifier.likeliest("I går var det veldig kaldt i byen.") == "nb"
    assert not identifier.is_another(SENTENCES["en"], "tlh")


@pytest.mark.parametrize("languages", [[], ["tlh"], ["en"]])
def test_nothing_to_tell_apart(languages: list[str]) -> None:
    identifier = Identifier(languages)
    assert identifier.likeliest(SENTENCES["de"]) is None
    assert not identifier.is_another(SENTENCES["de"], "en")
