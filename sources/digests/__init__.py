"""Sizes and SHA-256 of upstream files, a table a source, as upstream or copies of its own record state them.

Being a package of its own keeps these tables out of what the results of ingesting depend on: a digest that is added
changes no row. They are read by `ecinstruct_build.fetching.remotes`.
"""
