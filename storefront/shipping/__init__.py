"""Carriage: goods into parcels, where they leave and arrive, and what each shipping plugin quotes for them."""
