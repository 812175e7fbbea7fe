import json
import random
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.synthesis.translators.conftest import LANGUAGES, TEXTS, make_marian
from workbench.data.catalog import fingerprint
from workbench.errors import InputError
from workbench.records import TranslatorSpec
from workbench.synthesis.translators.checkpoints import CheckpointTranslator, by_length
from workbench.synthesis.translators.codes import m2m100_codes, nllb_codes
from workbench.synthesis.translators.interface import identity_of
from workbench.synthesis.translators.loading import load_translator

KINDS = ("nllb", "m2m100", "marian")


def tiny(kind: Any, request: pytest.FixtureRequest) -> TranslatorSpec:
    """The settings of a tiny checkpoint: few tokens, so that it is quick."""
    checkpoint: Path = request.getfixturevalue(kind)
    named = checkpoint / "tiny-{source}-{target}" if kind == "marian" else checkpoint
    return TranslatorSpec(kind=kind, checkpoint=str(named), beams=2, max_tokens=16)


@pytest.fixture(params=KINDS)
def spec(request: pytest.FixtureRequest) -> TranslatorSpec:
    return tiny(request.param, request)


def loaded(spec: TranslatorSpec) -> CheckpointTranslator:
    translator = load_translator(spec, Path(), device="cpu")
    assert isinstance(translator, CheckpointTranslator)
    return translator


def watched(translator: CheckpointTranslator, monkeypatch: pytest.MonkeyPatch, target: str) -> list[dict[str, Any]]:
    """What the model's generate is called with, and what it gives, from now on."""
    model: Any = translator.engine("en", target).model  # type: ignore[attr-defined]
    calls: list[dict[str, Any]] = []
    generate = model.generate

    def spy(**given: Any) -> Any:
        found = generate(**given)
        forced = given["generation_config"].forced_bos_token_id
        calls.append({"texts": given["input_ids"].tolist(), "forced": forced, "found": found.tolist()})
        return found

    monkeypatch.setattr(model, "generate", spy)
    return calls


@pytest.mark.parametrize(
    ("kind", "source", "target"), [("nllb", "eng_Latn", "swh_Latn"), ("m2m100", "__en__", "__sw__")]
)
def test_the_languages_are_said_in_the_models_own_codes(
    kind: str, source: str, target: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    translator = loaded(tiny(kind, request))
    translator.check("en", ["sw", "th"])
    calls = watched(translator, monkeypatch, "sw")
    tokenizer = translator.engine("en", "sw").tokenizer
    translations = translator.translate(TEXTS, "en", "sw")
    (call,) = calls
    said, forced = tokenizer.convert_tokens_to_ids(source), tokenizer.convert_tokens_to_ids(target)
    assert call["forced"] == forced and forced not in (said, tokenizer.unk_token_id)
    assert {row[0] for row in call["texts"]} == {said}
    # the first token is the one that starts decoding
    assert {row[1] for row in call["found"]} == {forced}
    assert any(translations) and not any(mark in text for text in translations for mark in (target, "</s>", "<pad>"))
    assert translator.translate(TEXTS, "en", "th") != translations


def test_marian_takes_the_checkpoint_of_the_pair(marian: Path, request: pytest.FixtureRequest) -> None:
    translator = loaded(tiny("marian", request))
    translator.check("en", ["de", "es"])
    translations = {target: translator.translate(TEXTS, "en", target) for target in ("de", "es")}
    assert translations["de"] != translations["es"]
    one = loaded(TranslatorSpec(kind="marian", checkpoint=str(marian / "tiny-en-es"), beams=2, max_tokens=16))
    assert one.translate(TEXTS, "en", "es") == translations["es"]
    assert identity_of(translator, "en", "es") == identity_of(one, "en", "es") == one.identity
    assert identity_of(translator, "en", "de") != one.identity
    assert translator.identity["checkpoint"] == str(marian / "tiny-{source}-{target}")
    with pytest.raises(InputError, match=r"translator.checkpoint: .*tiny-en-fr: there is no such folder"):
        translator.check("en", ["de", "fr"])


def test_marian_with_several_target_languages_is_told_which(
    tmp_path: Path, pieces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_marian(tmp_path / "several", pieces, 5, marks=("deu", "cmn_Hans", "es"))
    translator = loaded(TranslatorSpec(kind="marian", checkpoint=str(folder), beams=2, max_tokens=16))
    translator.check("en", ["de", "zh", "es"])
    calls = watched(translator, monkeypatch, "de")
    for target, mark in (("de", ">>deu<<"), ("zh", ">>cmn_Hans<<"), ("es", ">>es<<")):
        translations = translator.translate(TEXTS, "en", target)
        number = translator.engine("en", target).tokenizer.get_vocab()[mark]
        assert {row[0] for row in calls[-1]["texts"]} == {number}
        assert calls[-1]["forced"] is None and not any(">>" in text for text in translations)
    with pytest.raises(InputError, match=r"does not translate into 'sw'; allowed: cmn_Hans, deu, es"):
        translator.check("en", ["sw"])


def test_a_translation_does_not_depend_on_its_batch(spec: TranslatorSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    translator = loaded(replace(spec, batch_tokens=4096))
    calls = watched(translator, monkeypatch, "de")
    together = translator.translate(TEXTS, "en", "de")
    assert len(calls) == 1 and len(set(together)) > len(TEXTS) // 2
    assert [translator.translate([text], "en", "de")[0] for text in TEXTS] == together
    shuffled = random.Random(0).sample(TEXTS, len(TEXTS))
    few = loaded(replace(spec, batch_tokens=64))
    calls = watched(few, monkeypatch, "de")
    assert dict(zip(shuffled, few.translate(shuffled, "en", "de"), strict=True)) == dict(
        zip(TEXTS, together, strict=True)
    )
    assert 1 < len(calls) < len(TEXTS)
    assert all(len(call["texts"]) * len(call["texts"][0]) <= 64 for call in calls)


@given(st.lists(st.integers(1, 90), max_size=40), st.integers(64, 300))
def test_batches_hold_each_row_once_within_their_bound(lengths: list[int], most: int) -> None:
    batches = by_length([[0] * length for length in lengths], most)
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    assert all(len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= most for batch in batches)


def test_long_texts_and_translations_are_cut(spec: TranslatorSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    long = " ".join(TEXTS * 20)
    for most, tokens in ((10, 10), (500, 63)):
        translator = loaded(replace(spec, max_tokens=most))
        calls = watched(translator, monkeypatch, "de")
        translator.translate([long], "en", "de")
        assert len(calls[0]["texts"][0]) == tokens
        assert len(calls[0]["found"][0]) <= tokens + 1


def test_blank_texts_stay_empty_and_line_breaks_are_blanks(spec: TranslatorSpec) -> None:
    translator = loaded(spec)
    assert translator.translate(["", " \n", "\u2028"], "en", "de") == ["", "", ""]
    assert translator.translate([], "en", "de") == []
    flat, broken, half = translator.translate(["The bird sings.", "The\nbird\r\nsings.\0", "bird \ud800"], "en", "de")
    assert flat == broken and isinstance(half, str)


def test_beams_and_precision_reach_the_search(request: pytest.FixtureRequest) -> None:
    import torch

    spec = tiny("nllb", request)
    engine: Any = loaded(replace(spec, beams=3, precision="bf16")).engine("en", "de")
    assert (engine.search.num_beams, engine.search.do_sample, engine.search.max_new_tokens) == (3, False, 16)
    assert engine.model.dtype is torch.bfloat16 and not engine.model.training
    assert loaded(replace(spec, precision="bf16")).translate(TEXTS[:2], "en", "de")


def test_loading_is_light_and_identity_is_what_changes_the_output(nllb: Path, tmp_path: Path) -> None:
    spec = TranslatorSpec(kind="nllb", checkpoint="tiny-nllb")
    translator = load_translator(spec, nllb.parent)
    assert translator.name == "tiny-nllb"
    identity = dict(translator.identity)
    assert json.loads(json.dumps(identity)) == identity
    assert identity["content"] == fingerprint(nllb)
    moved = shutil.copytree(nllb, tmp_path / "tiny-nllb")
    assert load_translator(replace(spec, batch_tokens=99), tmp_path).identity == identity
    for other in ({"beams": 1}, {"max_tokens": 9}, {"precision": "bf16"}, {"engine": "ctranslate2"}):
        assert load_translator(replace(spec, **other), nllb.parent).identity != identity  # type: ignore[arg-type]
    (moved / "config.json").write_text((moved / "config.json").read_text() + "\n")
    assert load_translator(spec, tmp_path).identity != identity


def test_a_language_that_it_does_not_have_is_named_with_those_it_has(request: pytest.FixtureRequest) -> None:
    for kind, language in (("nllb", "br"), ("m2m100", "te")):
        with pytest.raises(InputError, match=f"{kind} has no language '{language}'; allowed: .*ar, .*zu"):
            loaded(tiny(kind, request)).check("en", ["de", language])
    with pytest.raises(InputError, match="'en' is the source language"):
        loaded(tiny("nllb", request)).check("en", ["en"])


def test_a_checkpoint_of_another_family_is_refused(nllb: Path, m2m100: Path, marian: Path, checkpoint: Path) -> None:
    for kind, folder, says in (
        ("marian", nllb, "is of the architecture 'm2m_100'; allowed for marian: marian"),
        ("nllb", marian / "tiny-en-de", "is of the architecture 'marian'; allowed for nllb: m2m_100, nllb-moe"),
        ("nllb", m2m100, "has no token 'eng_Latn' for the language 'en'.*it is none of the family nllb"),
        ("m2m100", nllb, "has no token '__en__' for the language 'en'.*it is none of the family m2m100"),
        ("nllb", checkpoint, "is of the architecture 'bert'"),
    ):
        with pytest.raises(InputError, match=says):
            loaded(TranslatorSpec(kind=kind, checkpoint=str(folder))).check("en", ["de"])  # type: ignore[arg-type]


def test_a_checkpoint_that_is_not_there(tmp_path: Path) -> None:
    for checkpoint, says in ((str(tmp_path / "none"), "there is no such folder"), ("owner/nonesuch", "be fetched")):
        with pytest.raises(InputError, match=f"translator.checkpoint: .*{says}"):
            loaded(TranslatorSpec(kind="nllb", checkpoint=checkpoint)).check("en", ["de"])


@pytest.mark.parametrize("damage", ["cut", "missing", "sizes"])
def test_damaged_weights_are_refused(nllb: Path, tmp_path: Path, damage: str) -> None:
    folder = shutil.copytree(nllb, tmp_path / "broken")
    weights = folder / "model.safetensors"
    if damage == "cut":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif damage == "missing":
        weights.unlink()
    else:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "d_model": 32}))
    with pytest.raises(InputError, match=r"translator.checkpoint: .*(cannot be read|has the sizes)"):
        loaded(TranslatorSpec(kind="nllb", checkpoint=str(folder))).check("en", ["de"])


def test_weights_of_the_older_format_are_read(nllb: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    import torch
    from safetensors.torch import load_file

    folder = shutil.copytree(nllb, tmp_path / "older")
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    spec = tiny("nllb", request)
    older = loaded(replace(spec, checkpoint=str(folder)))
    assert older.translate(TEXTS, "en", "de") == loaded(spec).translate(TEXTS, "en", "de")


def test_a_hub_checkpoint_without_safetensors_is_fetched_in_the_older_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.synthesis.translators import transformers_engine

    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(transformers_engine, "find_checkpoint", lambda *_: (tmp_path, "abc"))
    monkeypatch.setattr(transformers_engine, "snapshot_download", lambda name, **given: calls.append(given))
    translator = loaded(TranslatorSpec(kind="nllb"))
    assert translator.identity["content"] == "facebook/nllb-200-distilled-600M@abc"
    assert translator.name == "nllb-200-distilled-600M"
    assert [call["revision"] for call in calls] == ["abc"] and "pytorch_model*.bin" in calls[0]["allow_patterns"]
    (tmp_path / "model.safetensors").touch()
    assert loaded(TranslatorSpec(kind="nllb")).identity == translator.identity and len(calls) == 1


def converted(folder: Path, to: Path) -> Path:
    converters = pytest.importorskip("ctranslate2.converters", reason="ctranslate2 is not installed")
    names = [file.name for file in folder.iterdir() if file.suffix in (".json", ".spm", ".model")]
    files = [name for name in names if name not in ("config.json", "generation_config.json")]
    converters.TransformersConverter(str(folder), copy_files=files).convert(str(to))
    return to


@pytest.mark.parametrize("kind", KINDS)
def test_ctranslate2_gives_what_transformers_gives(kind: Any, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(kind)
    if kind == "marian":
        folder = folder / "tiny-en-de"
    # without a search over beams, as the two weigh the lengths of translations differently
    spec = TranslatorSpec(kind=kind, checkpoint=str(folder), beams=1, max_tokens=12)
    fast = loaded(replace(spec, engine="ctranslate2", checkpoint=str(converted(folder, tmp_path / "fast"))))
    fast.check("en", ["de"])
    translations = fast.translate(TEXTS, "en", "de")
    given = loaded(spec).translate(TEXTS, "en", "de")
    assert len(set(given)) > 3
    # of a translation that is cut Marian's last token is the end's
    assert all(
        text.startswith(start) if kind == "marian" else text == start
        for text, start in zip(translations, given, strict=True)
    )
    assert [fast.translate([text], "en", "de")[0] for text in TEXTS] == translations
    assert loaded(replace(fast.spec, beams=3)).translate(TEXTS, "en", "de")


def test_ctranslate2_wants_a_converted_folder(nllb: Path) -> None:
    pytest.importorskip("ctranslate2", reason="ctranslate2 is not installed")
    for checkpoint, says in ((str(nllb), "has no model.bin"), (None, "is no folder here; allowed with ctranslate2")):
        with pytest.raises(InputError, match=says):
            loaded(TranslatorSpec(kind="nllb", checkpoint=checkpoint, engine="ctranslate2")).check("en", ["de"])


@pytest.mark.parametrize(("kind", "package"), [("m2m100", "sentencepiece"), ("marian", "sacremoses")])
def test_a_package_that_is_missing_is_named(
    kind: str, package: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.synthesis.translators import transformers_engine

    find = transformers_engine.importlib.util.find_spec
    monkeypatch.setattr(
        transformers_engine.importlib.util, "find_spec", lambda name: None if name == package else find(name)
    )
    with pytest.raises(InputError, match=f"{kind} needs the package {package}"):
        loaded(tiny(kind, request)).check("en", ["de"])


def test_every_code_is_one_that_the_real_tokenizers_have() -> None:
    from transformers.models.m2m_100.tokenization_m2m_100 import FAIRSEQ_LANGUAGE_CODES as M2M100
    from transformers.models.nllb.tokenization_nllb import FAIRSEQ_LANGUAGE_CODES as NLLB

    from workbench.data.reading.languages import known_codes

    def held_against(codes: dict[str, str], real: Sequence[str]) -> None:
        assert set(codes.values()) <= set(real) and codes.keys() <= known_codes()

    held_against(dict(nllb_codes()), NLLB)
    held_against(dict(m2m100_codes()), M2M100["m2m100"])
    assert set(M2M100["m2m100"]) == set(m2m100_codes().values())
    # those that are left out are other scripts, and dialects without a code of their own
    assert len(set(NLLB) - set(nllb_codes().values())) < 12
    assert set(LANGUAGES) <= nllb_codes().keys() & m2m100_codes().keys()
    assert {code: nllb_codes()[code] for code in ("ar", "fa", "no", "sw", "zh")} == {
        "ar": "arb_Arab",
        "fa": "pes_Arab",
        "no": "nob_Latn",
        "sw": "swh_Latn",
        "zh": "zho_Hans",
    }
