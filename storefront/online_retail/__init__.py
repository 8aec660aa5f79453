"""The Online Retail data as a shop: its lines cleaned, and products, customers, prices and orders made of them."""
