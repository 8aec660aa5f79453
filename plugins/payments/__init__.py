"""Built-in payment providers, one per file."""
