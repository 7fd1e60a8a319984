"""The reference pages of ``docs/``, written from the command line, the schemas and the registries."""
