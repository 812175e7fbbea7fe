"""A benchmark workbench for multilingual dual encoders."""

__version__ = "0.1.0"
