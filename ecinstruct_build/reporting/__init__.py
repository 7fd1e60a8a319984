"""Reports on a finished build: what the checks found, nearest to their thresholds, and of planted defects."""
