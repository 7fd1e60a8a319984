"""The tasks, one file each; a file here that defines ``TASK`` is a task."""
