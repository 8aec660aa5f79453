"""Comparisons of two rule sets over past orders: asked for, counted by several processes, shown."""
