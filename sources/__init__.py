"""The corpora, one file each; a file here that defines ``SOURCE`` is a source."""
