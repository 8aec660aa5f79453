"""Built-in shipping providers, one per file."""
