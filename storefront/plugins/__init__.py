"""The shop's side of plugins: which run, what they are told and asked, what failed, and their settings at the desk."""
