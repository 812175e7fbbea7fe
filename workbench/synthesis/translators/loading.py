"""From the settings of a translator to the translator."""

from pathlib import Path

from workbench.errors import InputError
from workbench.records import TranslatorSpec
from workbench.synthesis.translators.checkpoints import CheckpointTranslator
from workbench.synthesis.translators.command import CommandTranslator
from workbench.synthesis.translators.interface import Translator


def load_translator(spec: TranslatorSpec, folder: Path, device: str = "auto", threads: int | None = None) -> Translator:
    """Loads no model yet; `folder` is where relative paths start, `threads` are CTranslate2's (torch has its own).

    Raises
    ------
    InputError
        A command is missing, or cannot be split into words.
    """
    if spec.kind != "command":
        return CheckpointTranslator(spec, folder, device, threads)
    if spec.command is None:
        raise InputError("translator.command: is missing; allowed: a program and its arguments")
    return CommandTranslator(spec.command, spec.version, folder)
