-- KEYS: uses, order. ARGV: ids. Returns which of them were there.
local gone = {}
for i, id in ipairs(ARGV) do
  local use = redis.call('HGET', KEYS[1], 'u' .. id)
  gone[i] = use and '1' or '0'
  if use then
    local keylen, at = string.match(use, '^%a|%-?%d+|%x*|%-?%d+|(%d+)|()')
    local key = string.sub(use, at, at + keylen - 1)
    if key ~= '' and redis.call('HGET', KEYS[1], 'k' .. key) == id then redis.call('HDEL', KEYS[1], 'k' .. key) end
    redis.call('HDEL', KEYS[1], 'u' .. id)
    redis.call('ZREM', KEYS[2], id)
  end
end
return gone
