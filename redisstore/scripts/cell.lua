-- A cell is 'version|end|value'. KEYS: cells, version, feed, ends.

local function read(key)
  local text = redis.call('HGET', KEYS[1], key)
  if not text then return {version = '0', ends = '', value = '', live = false} end
  local version, ends, at = string.match(text, '^(%d+)|(%d*)|()')
  return {version = version, ends = ends, value = string.sub(text, at), live = true}
end

local function over(c, now) return not c.live or (c.ends ~= '' and c.ends <= now) end

-- write gives the cell a version above all before it, and not below floor, which
-- the writer's clock gives: so versions rise even where a replica took over that
-- had not seen the last writes.
local function write(old, key, ends, value, floor)
  local version = math.max(tonumber(redis.call('GET', KEYS[2]) or '0') + 1, tonumber(floor))
  local text = string.format('%.0f', version)
  redis.call('SET', KEYS[2], text)
  redis.call('HSET', KEYS[1], key, text .. '|' .. ends .. '|' .. value)
  redis.call('ZADD', KEYS[3], text, key)
  if old.ends ~= '' and old.ends ~= ends then redis.call('ZREM', KEYS[4], old.ends .. key) end
  if ends ~= '' and old.ends ~= ends then redis.call('ZADD', KEYS[4], 0, ends .. key) end
  return text
end
