"""People judge a sample of the published rows, and what they say decides: sample, desk, report, gate."""
