-- ask_conversation: one live conversation.
-- GUARANTEE: changes nothing; O(log n). Engine.conversation.
-- USES: _question _agents _choice _conversations _states
-- KEYS: prefix
-- ARGV: conversation
-- RETURNS: a conversation's state, or nothing
local c = conversation(ARGV[1])
return c and cjson.encode(conversation_state(c))
