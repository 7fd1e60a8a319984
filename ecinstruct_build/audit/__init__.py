"""The audit: a separate reader of published datasets that finds leaks and faults from the rows alone.

It shares no code with what builds datasets, so that it does not share its mistakes.
"""
