"""Back from the provider: the page that confirms a payment, sends on to one, and lets a failed one be tried again.

It never says that a payment failed unless the provider said so for good.
"""
