-- KEYS: cells, feed, ends. ARGV: bound, limit.
local members = redis.call('ZRANGEBYLEX', KEYS[3], '-', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, m in ipairs(members) do
  local key = string.sub(m, 21)
  redis.call('HDEL', KEYS[1], key)
  redis.call('ZREM', KEYS[2], key)
  redis.call('ZREM', KEYS[3], m)
end
return {tostring(#members)}
