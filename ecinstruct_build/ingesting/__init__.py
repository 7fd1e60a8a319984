"""From an upstream file to canonical tables: reading in blocks, decoding, quarantine, repeats, field types."""
