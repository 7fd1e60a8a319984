"""The stages of the corridor, each wrapped for the store: what it depends on, and how it is made.

A function here reads the results of earlier stages, calls the room that does the work (`ingest`, ``tasks``,
``quality``, `render`), and lays the result down.
"""
