"""Texts in the script of their language or another, written by hand."""

import pycountry
import pytest
import regex

from workbench.synthesis.scripts import TABLE, in_wrong_script, scripts_of

SOURCE = "The bridge across the river was built by Isambard Brunel."


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ar", "بُنِيَ الجسر فوق النهر على يد برونيل."),
        ("de", "Die Brücke über den Fluss wurde von Isambard Brunel gebaut."),
        ("el", "Η γέφυρα πάνω από το ποτάμι."),
        ("hi", "नदी पर बना पुल ब्रुनेल ने बनवाया था।"),
        ("ja", "川に架かる橋はブルネルによって建設された。"),
        ("ja", "ハンバーガー"),
        ("ja", "橋"),
        ("ko", "강을 가로지르는 다리는 브루넬이 지었다."),
        ("ru", "Мост через реку построил Брюнель."),
        ("sr", "Мост преко реке саградио је Брунел."),
        ("sr", "Most preko reke sagradio je Brunel."),
        ("th", "สะพานข้ามแม่น้ำสร้างโดยบรูเนล"),
        ("vi", "Cây cầu bắc qua sông do Brunel xây dựng."),
        ("zh", "这座桥横跨河流，由布鲁内尔建造。"),
        ("zh", "橋由 Isambard Brunel 建造"),  # the names are the source's
        ("ru", "Brunel"),
        ("ru", "1859"),
        ("ru", "?"),
    ],
)
def test_right_script(language: str, text: str) -> None:
    assert not in_wrong_script(text, SOURCE, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Мост через реку построил Брюнель."),
        ("ru", "Most cherez reku postroil Bryunel."),
        ("ru", SOURCE),  # every word is the source's
        ("ru", "Мост the bridge across the river was built by Isambard Brunel."),
        ("hi", "Nadi par bana pul"),
        ("zh", "川に架かるはしはブルネルによってたてられた。"),
        ("ja", "다리는 브루넬이 지었다."),
        ("ko", "Die Brücke über den Fluss"),
        ("th", "ขa bridge over water"),
        ("sr", "河上的桥"),
        ("en", "Мост"),
    ],
)
def test_wrong_script(language: str, text: str) -> None:
    assert in_wrong_script(text, SOURCE, language)


def test_how_signs_are_composed_is_no_matter() -> None:
    assert not in_wrong_script("Cây cầu bắc qua sông", SOURCE, "vi")
    assert not in_wrong_script("Ｄｉｅ Ｂｒüｃｋｅ", SOURCE, "de")


def test_languages_without_a_known_script_are_not_judged() -> None:
    assert scripts_of("mul") == scripts_of("tlh") == ()
    assert not in_wrong_script("Мост", SOURCE, "mul")


def test_every_language_of_two_letters_has_scripts_that_unicode_knows() -> None:
    two = {language.alpha_2 for language in pycountry.languages if hasattr(language, "alpha_2")} - {"sh"}
    assert [code for code in sorted(two) if not scripts_of(code)] == []
    codes = [code for line in TABLE.strip().splitlines() for code in line.partition(": ")[2].split()]
    assert len(codes) == len(set(codes))
    for code in codes:
        assert code == "sh" or pycountry.languages.get(**{f"alpha_{len(code)}": code}), code
        for script in scripts_of(code):
            regex.compile(rf"\p{{Script={script}}}")
