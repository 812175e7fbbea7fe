"""Each rule of the filter by hand, the rules together, and what holds of any of them."""

from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.data.pairs import capped
from workbench.data.training_sets.parallel_files import load_pairs
from workbench.errors import InputError
from workbench.records import FilterSpec, SimilaritySpec
from workbench.synthesis.filtering import Filtered, filtered
from workbench.synthesis.versions import Versions

HELP = Path(__file__).parents[2] / "../shared/data/parallel/help_parallel.parquet"
NONE = {
    "length_ratio": None,
    "language": False,
    "copies": False,
    "duplicates": False,
    "script": False,
    "numbers": False,
}
OFF = FilterSpec(**NONE)  # type: ignore[arg-type]
SOURCE = ("When was the old bridge built?", "The old bridge was built in 1859 by workers from the town.")
GOOD = {
    "ar": ("متى بُني الجسر القديم؟", "بُني الجسر القديم عام ١٨٥٩ على يد عمال من المدينة."),
    "de": ("Wann wurde die alte Brücke gebaut?", "Die alte Brücke wurde 1859 von Arbeitern aus der Stadt gebaut."),
    "hi": ("पुराना पुल कब बना था?", "पुराना पुल १८५९ में शहर के मज़दूरों ने बनाया था।"),
    "ja": ("古い橋はいつ建てられましたか。", "古い橋は1859年に町の労働者によって建てられました。"),
    "ru": ("Когда был построен старый мост?", "Старый мост был построен в 1859 году рабочими из города."),
    "th": ("สะพานเก่าสร้างเมื่อไร", "สะพานเก่าสร้างขึ้นในปี ๑๘๕๙ โดยคนงานจากในเมือง"),
    "tr": ("Eski köprü ne zaman yapıldı?", "Eski köprü 1859 yılında kasabadan gelen işçiler tarafından yapıldı."),
    "zh": ("这座古老的桥是什么时候建造的？", "这座古老的桥是1859年由镇上的工人建造的。"),
}
Row = tuple[str, str, str | None, str | None, str, str]


def versions_of(rows: Sequence[Row]) -> Versions:
    return Versions(*map(list, zip(*rows, strict=True))) if rows else Versions([], [], [], [], [], [])


def good(pair_id: str = "a") -> list[Row]:
    return [(pair_id, language, query, passage, *SOURCE) for language, (query, passage) in GOOD.items()]


def judged(rows: Sequence[Row], spec: FilterSpec, code_switched: bool = False) -> Filtered:
    return filtered(versions_of(rows), "en", spec, Path(), code_switched=code_switched)


def only(**rule: object) -> FilterSpec:
    return FilterSpec(**{**NONE, **rule})  # type: ignore[arg-type]


@pytest.mark.parametrize("spec", [FilterSpec(), OFF], ids=["default", "off"])
def test_good_translations_are_kept(spec: FilterSpec) -> None:
    found = judged(good(), spec)
    assert found.kept.all() and found.notes == ()
    assert set(found.reasons) == {None}
    assert all(set(count) == set(GOOD) and not any(count.values()) for count in found.counts.values())


def test_only_the_rules_that_are_on_are_counted() -> None:
    assert list(judged(good(), FilterSpec()).counts) == [
        "empty", "copies", "script", "language", "numbers", "duplicates", "length_ratio"
    ]  # fmt: skip
    assert list(judged(good(), OFF).counts) == ["empty"]
    assert list(judged(good(), FilterSpec(), code_switched=True).counts) == [
        "empty", "copies", "numbers", "duplicates", "length_ratio"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "language", "query", "passage"),
    [
        ("empty", "de", "", GOOD["de"][1]),
        ("empty", "de", GOOD["de"][0], " \n\u3000"),
        ("empty", "de", None, ""),
        ("copies", "de", SOURCE[0].upper(), GOOD["de"][1]),
        ("copies", "zh", GOOD["zh"][0], SOURCE[1]),
        ("script", "ru", "Kogda byl postroen staryy most?", GOOD["ru"][1]),
        ("script", "ja", GOOD["ja"][0], GOOD["ar"][1]),
        ("script", "hi", None, "Purana pul 1859 mein bana tha."),
        ("language", "de", GOOD["tr"][0], GOOD["tr"][1]),
        ("language", "de", None, GOOD["tr"][1]),
        ("language", "tr", GOOD["tr"][0], "The bridge was made by the people of the town in the year 1859."),
        ("numbers", "de", GOOD["de"][0], "Die alte Brücke wurde von Arbeitern aus der Stadt gebaut."),
        ("numbers", "th", GOOD["th"][0], "สะพานเก่าสร้างขึ้นในปี ๑๘๙๕ โดยคนงานจากในเมือง"),
        ("numbers", "ru", "Когда в 1900 году был построен старый мост?", None),
    ],
)
def test_each_rule_rejects_what_it_is_for(rule: str, language: str, query: str | None, passage: str | None) -> None:
    rows = [*good(), ("b", language, query, passage, *SOURCE)]
    for spec in (OFF if rule == "empty" else only(**{rule: True}), FilterSpec()):
        found = judged(rows, spec)
        assert found.reasons == [None] * len(GOOD) + [rule]
        assert found.kept.tolist() == [True] * len(GOOD) + [False]
        assert found.counts[rule] == {**dict.fromkeys(GOOD, 0), language: 1}
    if rule != "empty":
        assert judged(rows, only()).kept.all()


@pytest.mark.parametrize("name", ["Amsterdam", "1859", "Isambard", "?"])
def test_names_and_numbers_are_the_same_in_any_language(name: str) -> None:
    rows = [("a", language, name, passage, name, SOURCE[1]) for language, (_, passage) in GOOD.items()]
    assert judged(rows, FilterSpec()).kept.all()


def test_duplicates_keep_the_first_pair_id_of_each_language() -> None:
    query, passage = GOOD["de"]
    rows: list[Row] = [
        ("p3", "de", query, passage, *SOURCE),
        ("p1", "de", query.upper(), f"  {passage}", *SOURCE),
        ("p2", "de", query, "Das weiß keiner.", *SOURCE),
        ("p0", "th", *GOOD["th"], *SOURCE),
        ("p1", "th", *GOOD["th"], *SOURCE),
    ]
    assert judged(rows, only(duplicates=True)).reasons == ["duplicates", None, None, None, "duplicates"]


def test_the_source_stands_in_for_a_text_that_was_not_made() -> None:
    query, passage = GOOD["de"]
    rows: list[Row] = [
        ("p1", "de", query, None, *SOURCE),
        ("p2", "de", query, None, SOURCE[0], "Nobody knows."),
        ("p3", "de", query, None, *SOURCE),
        ("p4", "de", None, passage, *SOURCE),
        ("p5", "de", None, passage, "Who built it?", SOURCE[1]),
    ]
    assert judged(rows, only(duplicates=True)).reasons == [None, None, "duplicates", None, None]


def test_what_another_rule_rejects_is_no_duplicate() -> None:
    rows: list[Row] = [
        ("p1", "de", *GOOD["de"], SOURCE[0], "The bridge was built in 1901."),
        ("p2", "de", *GOOD["de"], *SOURCE),
    ]
    assert judged(rows, FilterSpec()).reasons == ["numbers", None]


def test_lengths_are_judged_by_language_and_side() -> None:
    passage = "x" * 60
    rows: list[Row] = [(f"{i}", "zh", "字" * 10, "字" * 20, "y" * 30, passage) for i in range(4)]
    rows += [(f"{i}", "de", "ä" * 40, "ä" * 70, "y" * 30, passage) for i in range(4)]
    rows += [
        ("long query", "zh", "字" * 40, "字" * 20, "y" * 30, passage),
        ("short passage", "de", "ä" * 40, "ä" * 5, "y" * 30, passage),
        ("no query", "de", None, "ä" * 70, "y" * 3000, passage),
    ]
    found = judged(rows, only(length_ratio=2.0))
    assert [row[0] for row, reason in zip(rows, found.reasons, strict=True) if reason] == [
        "long query",
        "short passage",
    ]
    assert found.counts["length_ratio"] == {"de": 1, "zh": 1}
    assert judged(rows, only(length_ratio=20.0)).kept.all()


SWITCHED: list[Row] = [
    ("a", "de", "When was the alte bridge built?", SOURCE[1], *SOURCE),
    ("b", "th", "When was the old สะพาน built?", "The เก่า bridge was built in 1859 by workers from the town.", *SOURCE),
    (
        "c",
        "mul",
        "When was the alte мост built?",
        "The 古老 bridge was built in 1859 by workers from the town.",
        *SOURCE,
    ),
    ("d", "de", None, "The old bridge war built in 1859 by workers from the town.", *SOURCE),
]


def test_code_switched_texts_are_mostly_source() -> None:
    assert judged(SWITCHED, FilterSpec(), code_switched=True).kept.all()
    found = judged(SWITCHED, only(language=True), code_switched=True)
    assert found.reasons == ["language", "language", None, "language"]
    found = judged(SWITCHED, only(script=True), code_switched=True)
    # German is written as the source is, and `mul` has no script
    assert found.reasons == [None, "script", None, None]
    assert judged(SWITCHED, only(copies=True)).reasons == ["copies", None, None, None]


def test_a_code_switched_pair_is_a_copy_where_nothing_was_switched() -> None:
    rows: list[Row] = [*SWITCHED, ("e", "de", *SOURCE, *SOURCE), ("f", "de", None, SOURCE[1], *SOURCE)]
    rows.append(("g", "mul", "Amsterdam", None, "Amsterdam", SOURCE[1]))
    assert judged(rows, only(copies=True), code_switched=True).reasons == [None] * 4 + ["copies"] * 3


def test_what_cannot_be_judged_is_said() -> None:
    rows: list[Row] = [("a", "tlh", "Qapla'", "Heghlu'meH QaQ jajvam", *SOURCE), ("b", "mul", *SOURCE, *SOURCE)]
    found = judged(rows, only(language=True, script=True))
    assert found.kept.all()
    assert [note.partition(":")[0] for note in found.notes] == ["script", "language"]
    assert all("tlh" in note and "mul" not in note for note in found.notes)


@pytest.mark.skipif(not HELP.exists(), reason=f"{HELP} is not there")
def test_few_texts_that_people_translated_are_lost() -> None:
    pairs = capped(load_pairs("help", HELP), 300)
    english = pairs.languages.index("en")
    cells = [
        (row, column) for row, column in zip(*np.nonzero(pairs.has), strict=True) if pairs.queries[row, english] >= 0
    ]
    rows: list[Row] = [
        (pairs.pair_ids[row], pairs.languages[column], *(pairs.texts[text] for text in texts))  # type: ignore[misc]
        for row, column in cells
        if column != english
        for texts in [[part[row, its] for its in (column, english) for part in (pairs.queries, pairs.passages)]]
    ]
    found = judged(rows, FilterSpec())
    assert len(rows) > 2000 and found.kept.mean() > 0.99


def test_no_rows() -> None:
    found = judged([], FilterSpec(similarity=SimilaritySpec("builtin", threshold=0.5)))
    assert found.kept.shape == (0,) and not any(found.counts["copies"].values())


def test_nothing_is_compared_with_an_unknown_source() -> None:
    rows: list[Row] = [(pair_id, language, *texts, "", "") for pair_id, language, *texts, _, _ in good()]  # type: ignore[misc]
    rows.append(
        ("b", "de", "Wer?", "Das ist nicht bekannt, und es wird wohl auch so bleiben.", "Who?", "Nobody knows it.")
    )
    spec = FilterSpec(similarity=SimilaritySpec("builtin", threshold=0.1))
    assert judged(rows, spec).reasons == [None] * len(GOOD) + ["similarity"]
    assert judged(rows, FilterSpec()).kept.all()


def near(rows: Sequence[Row], **spec: float) -> Filtered:
    return judged(rows, only(similarity=SimilaritySpec("builtin", **spec)))


NEAR: list[Row] = [
    ("same", "de", *SOURCE, *SOURCE),
    ("near", "de", "When was the old bridge rebuilt?", SOURCE[1], *SOURCE),
    ("far", "de", *GOOD["th"], *SOURCE),
    ("passage far", "de", SOURCE[0], GOOD["zh"][1], *SOURCE),
    ("passage only", "de", None, SOURCE[1], *SOURCE),
    ("other", "tr", *GOOD["th"], *SOURCE),
]


def test_similarity_threshold() -> None:
    # the built-in encoder has not learnt anything: texts with common n-grams are near
    found = near(NEAR, threshold=0.7)
    assert found.reasons == [None, None, "similarity", "similarity", None, "similarity"]
    assert found.counts["similarity"] == {"de": 2, "tr": 1}
    assert near(NEAR, threshold=-1.0).kept.all()


def test_similarity_top_share_is_by_language() -> None:
    assert near(NEAR, top_share=0.6).reasons == [None, None, "similarity", "similarity", None, None]
    assert near(NEAR, top_share=1.0).kept.all()
    assert near(NEAR, top_share=0.01).kept.sum() == 2  # one of each language
    # the order of the rows decides nothing, of equally near ones the pair_id does
    assert near(NEAR[::-1], top_share=0.4).kept.tolist() == [True, True, False, False, False, True]


def test_similarity_encodes_each_text_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import workbench.encoder
    from workbench.synthesis import similarity

    monkeypatch.setattr(similarity, "BLOCK", 3)
    encode, encoded, seen = workbench.encoder.Encoder.encode, [], []

    def counting(self: object, texts: Sequence[str], side: str, **rest: object) -> object:
        encoded.extend((side, text) for text in texts)
        return encode(self, texts, side, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(workbench.encoder.Encoder, "encode", counting)
    spec = only(similarity=SimilaritySpec("builtin", threshold=-1))
    filtered(versions_of([*NEAR, *good()]), "en", spec, Path(), progress=lambda *step: seen.append(step))
    # by side: the source, and the different texts that were made (the source's own are among them)
    queries = {row[2] for row in [*NEAR, *good()] if row[2] is not None}
    passages = {row[3] for row in [*NEAR, *good()]}
    assert len(encoded) == 2 + len(queries) + len(passages)
    assert seen[-1] == ("passage similarity", 1 + len(passages), 1 + len(passages))


def test_similarity_reads_a_folder_relative_to_the_config(tmp_path: Path, checkpoint: Path) -> None:
    (tmp_path / "encoder").symlink_to(checkpoint)
    spec = only(similarity=SimilaritySpec("encoder", prefix="query : ", threshold=-1))
    assert filtered(versions_of(NEAR), "en", spec, tmp_path).kept.all()
    with pytest.raises(InputError, match="nothing"):
        filtered(versions_of(NEAR), "en", only(similarity=SimilaritySpec("./nothing", threshold=0)), tmp_path)


TEXTS = sorted({text for pair in (*GOOD.values(), SOURCE) for text in pair} | {"Amsterdam", "1859", "", "x 13", "OK"})


@st.composite
def any_rows(draw: st.DrawFn) -> list[Row]:
    text = st.sampled_from(TEXTS)
    keys = draw(
        st.lists(
            st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["de", "zh", "th", "mul", "tlh"])),
            max_size=20,
            unique=True,
        )
    )
    return [
        (pair_id, language, draw(st.none() | text), draw(text), draw(text), draw(text)) for pair_id, language in keys
    ]


@pytest.mark.parametrize("code_switched", [False, True])
@settings(max_examples=25, deadline=None)
@given(rows=any_rows(), factor=st.sampled_from([None, 1.3, 2.0]), random=st.randoms(use_true_random=False))
def test_what_holds_of_any_rows(code_switched: bool, rows: list[Row], factor: float | None, random: Random) -> None:
    spec = FilterSpec(length_ratio=factor)
    found = judged(rows, spec, code_switched)
    kept = [row for row, stays in zip(rows, found.kept, strict=True) if stays]
    # kept and rejected are all, and every rejection is counted once, for its language
    assert [reason is None for reason in found.reasons] == found.kept.tolist()
    for rule, by_language in found.counts.items():
        for language, count in by_language.items():
            rejected = zip(rows, found.reasons, strict=True)
            assert count == sum(row[1] == language and reason == rule for row, reason in rejected)
    assert sum(sum(count.values()) for count in found.counts.values()) == len(rows) - len(kept)
    # what was filtered passes again
    assert judged(kept, spec, code_switched).kept.all()
    # the order of the rows has no effect
    order = list(range(len(rows)))
    random.shuffle(order)
    again = judged([rows[row] for row in order], spec, code_switched)
    assert again.reasons == [found.reasons[row] for row in order]
    assert again.counts == found.counts


def test_the_kept_rows_are_numpy_bools() -> None:
    assert judged(good(), FilterSpec()).kept.dtype == np.bool_
