"""What tasks share when they draw: keyed draws, product rows, histories, blocking, pools, paragraphs."""
