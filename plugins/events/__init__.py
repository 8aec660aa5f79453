"""Built-in plugins that listen to what happens in the shop."""
