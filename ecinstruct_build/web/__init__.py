"""The local web server: people judge a review sample, or page through a dataset, in their browser."""
