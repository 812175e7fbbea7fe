"""Small real things that tests of several parts share."""

import os

# one thread and no network: the tests are small, and what they need they make
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import signal
from pathlib import Path

import numpy as np
import pytest

from workbench.data.pairs import ParallelPairs

# a shell starts background jobs with SIGINT ignored, and what they start inherits that; tests send it to children
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fetched sets of the user's are left alone and not seen."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))


WORDS = [f"w{i}" for i in range(400)]


def invented_pairs(count: int, languages: tuple[str, ...] = ("de", "en"), negatives: bool = False) -> ParallelPairs:
    """Pairs of random words; the query shares half of its words with its passage, and no text stands twice."""
    draw = np.random.default_rng(7)
    texts: list[str] = []
    queries = np.full((count, len(languages)), -1, np.int32)
    passages, hard = queries.copy(), queries.copy()
    for pair in range(count):
        for column, language in enumerate(languages):
            words = draw.choice(WORDS, size=int(draw.integers(6, 30)), replace=False).tolist()
            for table, chosen in ((queries, words[: len(words) // 2]), (passages, words), (hard, words[::-1])):
                if table is hard and (not negatives or pair % 2):
                    continue
                table[pair, column] = len(texts)
                texts.append(f"{language}{pair} " + " ".join(chosen))
    pair_ids = tuple(f"p{i:04d}" for i in range(count))
    return ParallelPairs("invented", languages, pair_ids, tuple(texts), queries, passages, hard)


def make_checkpoint(folder: Path, *, dropout: float = 0.0) -> Path:
    """A BERT of two layers with a word tokenizer, as transformers saves them."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS, "query", "passage", ":"]
    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )
    wrapped.save_pretrained(folder)
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT without dropout."""
    return make_checkpoint(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="session")
def dropout_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT with dropout."""
    return make_checkpoint(tmp_path_factory.mktemp("checkpoint"), dropout=0.1)
