"""Past orders: which are meant, as carts for a replay, as lines that were charged. Read in bulk, never changed."""
