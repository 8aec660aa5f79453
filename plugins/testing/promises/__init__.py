"""The promises of the contract, one test each; plugins.testing.payments and plugins.testing.shipping gather them."""
