"""The built-in encoder: hashed sub-word n-grams, an embedding table, a projection. It trains from nothing in seconds.

Importing this module registers the model with transformers, so that `AutoModel.from_pretrained` opens a folder that
the workbench has saved.
"""

import zlib
from typing import Any, ClassVar

import regex
import torch
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizer,
)
from transformers.modeling_outputs import BaseModelOutput

GRAMS = (3, 4, 5)
"""Lengths of the n-grams inside a word that is wrapped in boundary marks, as in fastText (arXiv 1607.04606, 3.2)."""

PAD = "<pad>"
KNOWN_WORDS = 2**18
"""Words whose numbers are remembered, at most: some 200 MB. A corpus of millions of passages has more words."""

# Han, kana and Thai are written without spaces: single signs and pairs of them stand in for words
WORDS = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]+|[\p{L}\p{M}\p{N}]+")
UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]")


def check_size(key: str, size: object) -> int:
    """A saved file can hold anything; transformers checks only its own keys."""
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise ValueError(f"{key!r} is {size!r:.60}; allowed: whole numbers from 1")
    return size


class SmallConfig(PreTrainedConfig):
    model_type = "workbench-small"
    attribute_map: ClassVar[dict[str, str]] = {"hidden_size": "dimension"}

    def __init__(self, buckets: int = 32768, dimension: int = 128, **rest: Any) -> None:
        self.buckets = check_size("buckets", buckets)
        self.dimension = check_size("dimension", dimension)
        super().__init__(**rest)


class SmallModel(PreTrainedModel):
    """Token vectors [texts, tokens, dimension] of hashed n-grams; their mean is the text's vector."""

    config_class = SmallConfig
    base_model_prefix = "small"

    def __init__(self, config: SmallConfig) -> None:
        super().__init__(config)
        # row 0 is padding
        self.grams = nn.Embedding(config.buckets + 1, config.dimension, padding_idx=0)
        self.projection = nn.Linear(config.dimension, config.dimension)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=self.config.dimension**-0.5)
            with torch.no_grad():
                module.weight[0].zero_()
        elif isinstance(module, nn.Linear):
            nn.init.orthogonal_(module.weight)
            nn.init.zeros_(module.bias)

    def get_input_embeddings(self) -> nn.Embedding:
        return self.grams

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None, **_: Any) -> BaseModelOutput:
        """[texts, tokens] -> [texts, tokens, dimension]; other arguments of the transformers call mean nothing here."""
        return BaseModelOutput(last_hidden_state=self.projection(self.grams(input_ids)))


AutoConfig.register(SmallConfig.model_type, SmallConfig)
AutoModel.register(SmallConfig, SmallModel)


class SmallTokenizer(PreTrainedTokenizer):
    """Text -> numbers of its n-grams, 1 to `buckets`, by CRC-32: the same on every machine."""

    vocab_files_names: ClassVar[dict[str, str]] = {}
    model_input_names: ClassVar[list[str]] = ["input_ids", "attention_mask"]

    def __init__(self, buckets: int = 32768, **rest: Any) -> None:
        self.buckets = check_size("buckets", buckets)
        self._of_word: dict[str, list[int]] = {}
        rest.setdefault("pad_token", PAD)
        super().__init__(buckets=buckets, special_tokens_pattern="none", **rest)

    def ids(self, text: str) -> list[int]:
        """The numbers of a text's n-grams, words in order; never empty."""
        return [i for word in words_of(text) for i in self._word_ids(word)]

    def _word_ids(self, word: str) -> list[int]:
        known = self._of_word.get(word)
        if known is None:
            if len(self._of_word) >= KNOWN_WORDS:
                self._of_word.clear()
            known = self._of_word[word] = [self._convert_token_to_id(gram) for gram in grams_of(word)]
        return known

    @property
    def vocab_size(self) -> int:
        return self.buckets + 1

    def get_vocab(self) -> dict[str, int]:
        return {PAD: 0}

    def _tokenize(self, text: str, **_: Any) -> list[str]:
        return [gram for word in words_of(text) for gram in grams_of(word)]

    def _convert_token_to_id(self, token: str) -> int:
        return 0 if token == PAD else zlib.crc32(token.encode()) % self.buckets + 1

    def _convert_id_to_token(self, index: int) -> str:
        # a hash has no way back
        return PAD if index == 0 else f"#{index}"

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        return ()


AutoTokenizer.register(SmallConfig, slow_tokenizer_class=SmallTokenizer)


def words_of(text: str) -> list[str]:
    """Case-folded words; a text without a single letter or digit is one word, so that it still has a vector."""
    return WORDS.findall(text.casefold()) or [text or " "]


def grams_of(word: str) -> list[str]:
    """The word itself in boundary marks and its n-grams; for unspaced scripts single signs and pairs."""
    if UNSPACED.match(word):
        return [*word, *(word[i : i + 2] for i in range(len(word) - 1))]
    marked = f"<{word}>"
    inner = [marked[i : i + n] for n in GRAMS if n < len(marked) for i in range(len(marked) - n + 1)]
    return [marked, *inner]
