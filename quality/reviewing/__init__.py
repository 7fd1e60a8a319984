"""Statistics of reviewing: how many rows to draw, from where, and what the verdicts on them say of the rest."""
