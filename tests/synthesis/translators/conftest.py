"""Tiny translation checkpoints of the real classes, with tokenizers trained on a few sentences."""

import io
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

SENTENCES = [
    "The red house stands by the river.",
    "Where does the old man keep his boat?",
    "A small bird sings in the tall tree.",
    "Nobody knows how deep the lake is.",
    "Das rote Haus steht am Fluss.",
    "Wo hat der alte Mann sein Boot?",
    "Ein kleiner Vogel singt im hohen Baum.",
    "Niemand weiß, wie tief der See ist.",
]
TEXTS = [
    "The old house stands by the lake.",
    "Where?",
    "A small red bird sings by the river, where the tall old man keeps his small red boat in the deep lake.",
    "Nobody knows the man.",
    "How tall is the tree by the house?",
    "The bird sings.",
    "The boat.",
]
LANGUAGES = ("ar", "de", "en", "es", "sw", "th", "zh")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """More of them only get into each other's way."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)


@pytest.fixture(scope="session")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentencepiece model."""
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES), model_writer=model, vocab_size=90, hard_vocab_limit=False, minloglevel=2
    )
    file = tmp_path_factory.mktemp("pieces") / "spm.model"
    file.write_bytes(model.getvalue())
    return file


def words_of(pieces: Path) -> list[str]:
    import sentencepiece

    model = sentencepiece.SentencePieceProcessor(model_file=str(pieces))
    return [model.id_to_piece(number) for number in range(3, model.get_piece_size())]


def sizes(vocabulary: int) -> dict[str, Any]:
    """A configuration; weights are drawn wide, so that what is generated depends on the text."""
    return {
        "vocab_size": vocabulary,
        "d_model": 16,
        "encoder_layers": 1,
        "decoder_layers": 1,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
        "encoder_ffn_dim": 32,
        "decoder_ffn_dim": 32,
        "max_position_embeddings": 64,
        "init_std": 0.5,
        "tie_word_embeddings": False,
    }


def save_model(model: Any, languages: list[int], folder: Path) -> None:
    """With a head that writes no language of itself: half of the tiny vocabulary would be languages."""
    import torch

    with torch.no_grad():
        model.lm_head.weight[languages] = 0
    model.save_pretrained(folder)


@pytest.fixture(scope="session")
def nllb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import M2M100Config, M2M100ForConditionalGeneration, NllbTokenizer

    trained = Tokenizer(models.BPE(unk_token="<unk>"))
    trained.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    trained.train_from_iterator(
        SENTENCES, trainers.BpeTrainer(vocab_size=120, special_tokens=special, show_progress=False)
    )
    model = json.loads(trained.to_str())["model"]
    tokenizer = NllbTokenizer(vocab=model["vocab"], merges=[tuple(pair) for pair in model["merges"]])
    folder = tmp_path_factory.mktemp("nllb") / "tiny-nllb"
    tokenizer.save_pretrained(folder)
    torch.manual_seed(1)
    languages = [number for token, number in tokenizer.get_vocab().items() if "_" in token]
    save_model(M2M100ForConditionalGeneration(M2M100Config(**sizes(len(tokenizer)))), languages, folder)
    return folder


@pytest.fixture(scope="session")
def m2m100(tmp_path_factory: pytest.TempPathFactory, pieces: Path) -> Path:
    import torch
    from transformers import M2M100Config, M2M100ForConditionalGeneration, M2M100Tokenizer
    from transformers.models.m2m_100.tokenization_m2m_100 import FAIRSEQ_LANGUAGE_CODES

    folder = tmp_path_factory.mktemp("m2m100") / "tiny-m2m100"
    folder.mkdir()
    words = ["<s>", "<pad>", "</s>", "<unk>", *words_of(pieces)]
    vocabulary, model = folder / "vocab.json", folder / "sentencepiece.bpe.model"
    vocabulary.write_text(json.dumps({word: number for number, word in enumerate(words)}))
    shutil.copy(pieces, model)
    languages = [f"__{code}__" for code in FAIRSEQ_LANGUAGE_CODES["m2m100"]]
    tokenizer = M2M100Tokenizer(str(vocabulary), str(model), additional_special_tokens=languages)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(2)
    config = M2M100Config(**sizes(len(words) + len(languages) + tokenizer.num_madeup_words))
    numbers = list(range(len(words), config.vocab_size))
    save_model(M2M100ForConditionalGeneration(config), numbers, folder)
    return folder


def make_marian(folder: Path, pieces: Path, seed: int, marks: tuple[str, ...] = ()) -> Path:
    """A Marian checkpoint; `marks` are the target languages of one that has several."""
    import torch
    from transformers import MarianConfig, MarianMTModel, MarianTokenizer

    folder.mkdir(parents=True)
    words = ["</s>", "<unk>", *(f">>{mark}<<" for mark in marks), *words_of(pieces), "<pad>"]
    (folder / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(words)}))
    source, target = folder / "source.spm", folder / "target.spm"
    for model in (source, target):
        shutil.copy(pieces, model)
    files = (str(source), str(target), str(folder / "vocab.json"))
    MarianTokenizer(*files, source_lang="en", target_lang="de", model_max_length=64).save_pretrained(folder)
    torch.manual_seed(seed)
    padding = len(words) - 1
    config = MarianConfig(
        **sizes(len(words)), pad_token_id=padding, decoder_start_token_id=padding, eos_token_id=0, forced_eos_token_id=0
    )
    MarianMTModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def marian(tmp_path_factory: pytest.TempPathFactory, pieces: Path) -> Path:
    """A folder of one checkpoint for each pair."""
    folder = tmp_path_factory.mktemp("marian")
    for seed, pair in ((6, "en-de"), (9, "en-es")):
        make_marian(folder / f"tiny-{pair}", pieces, seed)
    return folder
