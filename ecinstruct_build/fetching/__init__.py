"""Get upstream files: which are needed, where they come from, and what was got."""
