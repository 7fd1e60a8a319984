"""Quality: one file per check (a file that defines ``CHECK``).

What the checks read with is in `quality.lexicon` and `quality.similarity`; the split that leaks nothing is
`quality.splitting`.
"""
