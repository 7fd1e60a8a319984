"""From an assigned example and a template to a sample: templates, their language, rendering, lint."""
