"""A result in sentences, and as the content of the page and the model card."""
