"""Exceptions at the desk: their files, their words, the keys that may change, and what each has cost.

The rules engine reads and applies exceptions (rules/exceptions.py); here they are only written and counted.
"""
