"""How alike texts are: words and runs of words as numbers, near duplicates, shared passages, given test sets."""
