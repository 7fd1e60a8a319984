"""How a built dataset stands to the one of the eCeLLM paper: what is the same, what differs, and why."""
