"""A buyer's order as a CSV file: read whole or not at all, every fault with its line, then confirmed like a cart."""
