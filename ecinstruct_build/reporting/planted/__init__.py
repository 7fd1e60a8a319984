"""Planted defects: what a build on generated corpora found of them, and what it missed."""
