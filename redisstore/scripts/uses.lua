-- The uses of one pass, newest first. KEYS: uses, order. ARGV: bound, limit.
local ids = redis.call('ZREVRANGEBYLEX', KEYS[2], ARGV[1], '-', 'LIMIT', 0, ARGV[2])
local found = {}
for _, id in ipairs(ids) do
  found[#found + 1] = id
  found[#found + 1] = redis.call('HGET', KEYS[1], 'u' .. id)
end
return found
