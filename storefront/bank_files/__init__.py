"""Money that arrived in the shop's bank account: files of the bank read, matched with what is owed, and booked.

What is not certain goes to a person; nothing is ever closed by guessing.
"""
