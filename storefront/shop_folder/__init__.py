"""Files of the shop folder that the desk writes: durable, checked, versioned, and drafts of them."""
