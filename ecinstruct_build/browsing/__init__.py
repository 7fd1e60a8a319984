"""Ask a published dataset, and the build that it came from, for samples to look at."""
