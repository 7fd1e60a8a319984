"""Push a staged dataset to the Hugging Face Hub: what is there, what will be done, doing it, and the change log."""
