-- Enters a row, or a use, into index sets that live elsewhere than it. KEYS: the
-- sets. ARGV: a use's id or '', its pass's part of the member or '', members.
-- A use id that another pass has claimed is a conflict; one that this pass has is
-- entered only once, whatever time stands beside it.
if ARGV[1] ~= '' then
  local there = redis.call('ZRANGEBYLEX', KEYS[1], '[' .. ARGV[1] .. '\0', '(' .. ARGV[1] .. '\1')
  for _, member in ipairs(there) do
    if string.sub(member, #ARGV[1] + 22) ~= ARGV[2] then return {'conflict'} end
  end
  if #there > 0 then return {'ok'} end
end
enter(1, 3)
return {'ok'}
