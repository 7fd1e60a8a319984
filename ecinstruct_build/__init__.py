"""Build e-commerce instruction datasets from raw public corpora."""

__version__ = "0.1.0"
