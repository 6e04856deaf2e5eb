"""The rules that choose who serves a conversation, and the live state they choose over. Knows no web and no SQL."""
