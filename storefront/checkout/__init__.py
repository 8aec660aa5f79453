"""Checkout on one page: address, shipping, date, payment, and the total that is confirmed.

Prices and refusals come from the rules through pricing; an order comes from orders.placing alone.
"""
