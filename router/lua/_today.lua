-- The day on which a question about ranks is asked; its first argument. Needed by _choice where there is no _prelude.
local day = tonumber(ARGV[1])
