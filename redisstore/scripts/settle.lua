-- KEYS: row, uses. ARGV: use, state's letter, status, most refunds.
-- Asked twice it answers the same: only a pending use changes.
local field = 'u' .. ARGV[1]
local use = redis.call('HGET', KEYS[2], field)
if not use then return {'not_found'} end
local state, nonce, used, keylen, at = string.match(use, '^(%a)|%-?%d+|(%x*)|(%-?%d+)|(%d+)|()')
if state ~= 'p' then return {'ok', use} end
local new, key, rest = ARGV[2], string.sub(use, at, at + keylen - 1), string.sub(use, at + keylen)
if new == 'r' then
  local refunds = redis.call('HGET', KEYS[1], 'r')
  if not refunds or not less(refunds, ARGV[4]) then
    new = 's'
  else
    redis.call('HINCRBY', KEYS[1], 'u', -1)
    redis.call('HINCRBY', KEYS[1], 'r', 1)
    if key ~= '' then redis.call('HDEL', KEYS[2], 'k' .. key) end
    key = ''
  end
end
use = new .. '|' .. ARGV[3] .. '|' .. nonce .. '|' .. used .. '|' .. #key .. '|' .. key .. rest
redis.call('HSET', KEYS[2], field, use)
return {'ok', use}
