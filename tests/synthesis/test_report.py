"""What a file of parallel texts holds, counted by hand."""

import subprocess
import sys

import pytest

from workbench.synthesis.report import described
from workbench.synthesis.versions import Versions

QUESTIONS = ["Who built the 2 bridges?", "Where is the market of the 14 villages?", "Amsterdam"]
ANSWERS = ["They were built by the king in 1859.", "It is held in the old town.", "The city lies at the sea."]
WRITTEN = Versions(["p0", "p1", "p2"], ["en"] * 3, QUESTIONS, ANSWERS, QUESTIONS, ANSWERS)
MADE = Versions(
    pair_ids=["p0", "p1", "p2", "p0", "p1"],
    languages=["de", "de", "de", "ru", "ru"],
    queries=[
        "Wer hat die zwei Brücken gebaut?",
        "Where is the market of the 14 villages?",
        "Amsterdam",
        None,
        "Где находится рынок 15 деревень?",
    ],
    passages=[
        "Sie wurden 1859 vom König gebaut.",
        "Er findet in der Altstadt statt.",
        "Er findet in der Altstadt statt.",
        "Oni byli postroyeny korolem v 1859 godu.",
        "Он проводится в старом городе.",
    ],
    source_queries=[*QUESTIONS, *QUESTIONS[:2]],
    source_passages=[*ANSWERS, *ANSWERS[:2]],
)


def test_one_record_for_each_maker_and_language() -> None:
    human, german, russian = described({"human": WRITTEN, "apertium": MADE}, "en")
    assert german == {
        "language": "de",
        "maker": "apertium",
        "pairs": 3,
        "queries": 3,
        "passages": 2,
        "query_mean": pytest.approx((32 + 39 + 9) / 3),
        "query_median": 32.0,
        "passage_mean": pytest.approx((33 + 32 + 32) / 3),
        "passage_median": 32.0,
        "query_ratio": 1.0,
        "passage_ratio": pytest.approx(32 / 27),
        "identified": german["identified"],
        "own_language": german["identified"]["de"],
        "numbers_agree": 1.0,
        "copies": 1,
        "wrong_script": 0,
        "duplicates": 0,
    }
    assert german["own_language"] >= 2 / 3
    assert (russian["maker"], russian["pairs"], russian["queries"], russian["passages"]) == ("apertium", 2, 1, 2)
    assert russian["wrong_script"] == 1
    assert russian["numbers_agree"] == 0.5
    assert (human["language"], human["maker"], human["identified"]) == ("en", "human", {"en": 1.0})
    # the source is not compared with itself
    assert human["copies"] is human["numbers_agree"] is human["query_ratio"] is None
    assert human["duplicates"] == 0


def test_sources_that_are_not_known_are_not_compared() -> None:
    unknown = Versions(["a", "b"], ["de"] * 2, ["Wer?"] * 2, ["Sie waren es, alle 25."] * 2, [""] * 2, [""] * 2)
    (record,) = described({"human": unknown}, "en")
    assert (record["query_median"], record["duplicates"], record["wrong_script"]) == (4.0, 1, 0)
    assert record["passage_ratio"] is record["numbers_agree"] is record["copies"] is None


def test_mixed_and_unknown_languages_have_none_of_their_own() -> None:
    texts = ["Where is the alte мост?", None]
    versions = Versions(["a", "a"], ["mul", "tlh"], texts, ["It is here.", "Qapla'"], ["Where?"] * 2, ["Here."] * 2)
    mixed, unknown = described({"code-switched": versions}, "en")
    assert mixed["own_language"] is mixed["wrong_script"] is unknown["own_language"] is None
    # only English can be identified: nothing can be told apart
    assert mixed["identified"] == {}


def test_no_texts_at_all() -> None:
    assert described({"human": Versions([], [], [], [], [], [])}, "en") == []


def test_a_report_loads_nothing_that_computes() -> None:
    code = "import sys, workbench.synthesis.report\nprint(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not set(loaded) & {"torch", "transformers", "py3langid", "datasets", "pyarrow"}
