"""Plugins that put a few sentences on pages."""
