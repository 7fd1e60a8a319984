"""The report on a build: gathered as plain values, drawn as one page that opens from disk, offline."""
