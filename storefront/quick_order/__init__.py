"""Quick order: lines pasted, scanned or uploaded, each answered and put into the cart together."""
