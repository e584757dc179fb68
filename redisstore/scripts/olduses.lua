-- Looks through a piece of an index of uses for those made before a time. KEYS:
-- the index. ARGV: bound, before, limit. Returns where to go on, and what it found.
local members = redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], '+', 'LIMIT', 0, ARGV[3])
local found = {members[#members] or ''}
for _, m in ipairs(members) do
  local at = tonumber(string.sub(m, -4), 16) + 2
  if string.sub(m, at, at + 19) < ARGV[2] then found[#found + 1] = m end
end
return found
