"""The pages in a real browser, against two real nodes. Whoever adds a page adds its walk here."""
