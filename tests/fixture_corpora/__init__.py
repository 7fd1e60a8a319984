"""Fixture files of sources, one module a source, by its name; a constant ``FILES`` holds the bytes of each by path."""
