"""What `tests.browser.screenshots` takes pictures of: every surface, and a shop in which there is something to see."""
