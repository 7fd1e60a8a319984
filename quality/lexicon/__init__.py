"""What words tell: private data, contradictions, small words of languages, what a product title says."""
