-- A row, or who may have brought it. KEYS: row, staged. ARGV: asked.
local f = row(KEYS[1])
if f then return answer('ok', f) end
return waiting(KEYS[2], ARGV[1]) or {'not_found'}
