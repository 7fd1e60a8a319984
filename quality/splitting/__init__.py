"""The split: families and groups become a web, communities of it are packed into splits, and the outcome is proven."""
