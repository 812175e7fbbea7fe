"""The texts of a training set as the encoder reads them."""

import numpy as np
from numpy.typing import NDArray

from workbench.data.pairs import ParallelPairs
from workbench.encoder import Encoder, Side, Tokens
from workbench.training.contrast import TokenBatch
from workbench.training.sampling import Batch


class TokenCache:
    """The tokens of a training set's texts, made when first drawn and never again."""

    def __init__(self, encoder: Encoder, pairs: ParallelPairs) -> None:
        self.encoder = encoder
        self.pairs = pairs
        self._tokens: dict[tuple[Side, int], Tokens] = {}

    def get(self, side: Side, texts: NDArray[np.int32]) -> list[Tokens]:
        """Tokens of `texts`, indexes into the set's texts, as a query or as a passage."""
        new = [t for t in dict.fromkeys(texts.tolist()) if (side, t) not in self._tokens]
        for text, tokens in zip(new, self.encoder.tokenise([self.pairs.texts[t] for t in new], side), strict=True):
            self._tokens[side, text] = tokens
        return [self._tokens[side, t] for t in texts.tolist()]

    def batch(self, batch: Batch, process: int, processes: int) -> TokenBatch:
        """This process' rows of a batch, tokenised."""
        rows = np.array_split(np.arange(len(batch.pairs)), processes)
        negatives = self.pairs.negatives[batch.pairs, batch.passage_languages]
        own = rows[process]
        queries = self.pairs.queries[batch.pairs[own], batch.query_languages[own]]
        passages = self.pairs.passages[batch.pairs[own], batch.passage_languages[own]]
        return TokenBatch(
            self.get("query", queries),
            self.get("passage", passages),
            self.get("passage", negatives[own][negatives[own] >= 0]),
            tuple(int((negatives[part] >= 0).sum()) for part in rows),
        )
